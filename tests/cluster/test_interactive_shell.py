"""The crm shell as a person meets it: on a terminal, working on a CIB file, with the keys a person has."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.terminal import SOURCE, Terminal

CIB = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="cib-bootstrap-options-stonith-enabled" name="stonith-enabled" value="false"/>
        <nvpair id="cib-bootstrap-options-no-quorum-policy" name="no-quorum-policy" value="ignore"/>
      </cluster_property_set>
    </crm_config>
    <nodes><node id="1" uname="alpha"/><node id="2" uname="beta"/></nodes>
    <resources>
      <primitive id="web" class="ocf" provider="pacemaker" type="Dummy">
        <instance_attributes id="web-instance_attributes">
          <nvpair id="web-instance_attributes-fake" name="fake" value="one"/>
          <nvpair id="web-instance_attributes-fake2" name="state" value="/tmp/s"/>
        </instance_attributes>
      </primitive>
      <primitive id="db" class="ocf" provider="pacemaker" type="Dummy"/>
    </resources>
    <constraints/>
  </configuration>
  <status/>
</cib>
"""
Start = Callable[..., Terminal]


@pytest.fixture
def cib(tmp_path: Path) -> Path:
    path = tmp_path / "cib.xml"
    path.write_text(CIB, encoding="utf-8")
    return path


@pytest.fixture
def environment(tmp_path: Path, cib: Path) -> dict[str, str]:
    """Agents are those in the tree: completion must not depend on what is installed."""
    (tmp_path / "home").mkdir()
    return {
        "PATH": f"{SOURCE / 'bin'}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "CIB_file": str(cib),
        "CIB_shadow_dir": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "EDITOR": "true",
        "PAGER": "cat",
    }


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Start]:
    started: list[Terminal] = []

    def begin(*words: str, **more: str) -> Terminal:
        terminal = Terminal(["crm", *words], environment | more, folder=tmp_path)
        started.append(terminal)
        return terminal

    yield begin
    for terminal in started:
        terminal.close()


@pytest.fixture
def configure(start: Start) -> Terminal:
    terminal = start("configure")
    terminal.prompt("configure")
    return terminal


def _write_as_another(cib: Path, old: str, new: str) -> None:
    """Change the CIB as somebody else would, who counts the epoch up."""
    text = cib.read_text(encoding="utf-8")
    assert old in text
    epoch = int(re.search(r' epoch="(\d+)"', text)[1])  # type: ignore[index]
    text = text.replace(old, new).replace(f' epoch="{epoch}"', f' epoch="{epoch + 1}"')
    cib.write_text(text, encoding="utf-8")


# Completion


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("primitive x ocf:pacemaker:", r"ocf:pacemaker:Dummy +\S.*"),
        ("primitive x ocf:pacemaker:Dummy params ", r"fake= +\S.*"),
        ("primitive x ocf:pacemaker:Dummy params ", r"op_sleep= +.*\[0\]"),
        ("primitive x ocf:pacemaker:Dummy op ", r"monitor +timeout=20s interval=10s"),
        ("primitive x ocf:pacemaker:Dummy op monitor ", r"timeout=20s +advised"),
        ("primitive x ocf:pacemaker:Dummy meta target-role=", r"target-role=Stopped"),
        ("property no-quorum-policy=", r"no-quorum-policy=freeze"),
        ("property st", r"stonith-timeout= +.*\[60s\]"),
        ("delete ", r"web +primitive Dummy"),
        ("location l web 100: ", r"alpha +node"),
        ("set web.", r"web\.fake +now one"),
        ("clone c web meta promot", r"promoted-max= +.*\[1\]"),
    ],
)
def test_tab_offers_what_can_follow_and_what_it_means(configure: Terminal, typed: str, suggested: str) -> None:
    configure.type(typed, "tab")
    configure.shows(suggested)


def test_tab_completes_the_only_possibility(configure: Terminal) -> None:
    configure.type("show we", "tab")
    configure.wait_until(lambda t: t.cursor.endswith("# show web"), "web completed")


def test_tab_completes_files(configure: Terminal, tmp_path: Path) -> None:
    (tmp_path / "settings.crm").write_text("primitive new ocf:pacemaker:Dummy\n", encoding="utf-8")
    configure.type("load update sett", "tab")
    configure.wait_until(lambda t: t.cursor.endswith("load update settings.crm"), "file completed")
    configure.press("enter")
    configure.prompt("configure")
    assert "primitive new" in configure.run("show new", "configure")


# Typing


def test_the_line_can_be_edited_and_comes_back_from_the_history(configure: Terminal) -> None:
    configure.type("shw changed", "home", *["\x1b[C"] * 2, "o")
    configure.type("", "end", "ctrl-w", "xml web", "enter")
    configure.shows('<primitive id="web"')
    configure.press("up")
    configure.wait_until(lambda t: t.cursor.endswith("# show xml web"), "the line before")
    configure.press("ctrl-c")
    configure.prompt("configure")
    configure.type("", "ctrl-r", "xml")
    configure.wait_until(lambda t: "show xml web" in t.cursor or "xml web" in t.text.split("\n")[-2:][0], "found")
    configure.press("escape")


def test_a_statement_over_several_lines(configure: Terminal) -> None:
    configure.enter("primitive long ocf:pacemaker:Dummy \\")
    configure.wait_until(lambda t: t.cursor.strip() == ">", "the prompt of a continued line")
    configure.enter("meta priority=7")
    configure.prompt("configure")
    assert "meta priority=7" in configure.run("show long", "configure")


def test_pasted_lines_are_run_one_by_one(configure: Terminal) -> None:
    lines = (
        "primitive one ocf:pacemaker:Dummy\nprimitive two ocf:pacemaker:Dummy \\\n meta priority=2\ngroup both one two"
    )
    configure.type(f"\x1b[200~{lines}\x1b[201~", "enter")
    configure.shows("3 changes not committed|5 changes")
    assert "group both one two" in configure.run("show both", "configure")


def test_an_error_shows_the_place_and_the_nearest_word(configure: Terminal) -> None:
    shown = configure.run("location l web rul 100: #uname eq alpha", "configure")
    assert "column" in shown and "^" in shown and "did you mean 'rule'?" in shown


def test_an_unknown_command_names_the_nearest(configure: Terminal) -> None:
    assert "primitive" in configure.run("primtive p ocf:pacemaker:Dummy", "configure")


def test_the_bottom_line_counts_what_is_pending(configure: Terminal) -> None:
    configure.run("set web.fake two", "configure")
    configure.shows(r"cib.xml.*2 nodes.*1 change not committed")
    configure.run("set web.fake one", "configure")


# Nothing is lost


def test_ctrl_c_gives_up_the_line_and_keeps_the_changes(configure: Terminal) -> None:
    configure.run("set web.fake two", "configure")
    configure.type("delete db", "ctrl-c")
    configure.prompt("configure")
    assert "fake=two" in configure.run("show changed", "configure")


def test_ctrl_c_at_the_question_keeps_the_changes(configure: Terminal) -> None:
    configure.run("set web.fake two", "configure")
    configure.enter("quit")
    configure.shows(r"changes pending.*\? $|changes pending.*\?")
    configure.press("ctrl-c")
    configure.prompt("configure")
    assert "fake=two" in configure.run("show changed", "configure")


@pytest.mark.parametrize(("leave", "answer"), [("quit", "c"), ("up", "c"), ("", "ctrl-d")])
def test_one_can_stay_instead_of_leaving(configure: Terminal, leave: str, answer: str) -> None:
    configure.run("set web.fake two", "configure")
    configure.enter(leave) if leave else configure.press("ctrl-d")
    configure.shows("changes pending")
    configure.press(answer, *(["enter"] if answer == "c" else []))
    configure.prompt("configure")
    assert "fake=two" in configure.run("show changed", "configure")


@pytest.mark.parametrize(("answer", "value"), [("y", "two"), ("n", "one")])
def test_leaving_commits_or_drops_as_answered(configure: Terminal, cib: Path, answer: str, value: str) -> None:
    configure.run("set web.fake two", "configure")
    configure.enter("quit")
    configure.shows("changes pending")
    configure.enter(answer)
    assert configure.end() == 0
    assert f'value="{value}"' in cib.read_text(encoding="utf-8")


def test_leaving_from_a_level_above_asks_as_well(configure: Terminal) -> None:
    configure.run("set web.fake two", "configure")
    configure.run("ra", "configure ra")
    configure.enter("quit")
    configure.shows("changes pending")
    configure.enter("c")
    configure.prompt("configure ra")


def test_a_commit_that_is_refused_keeps_the_changes(configure: Terminal, cib: Path) -> None:
    configure.run("set web.fake two", "configure")
    cib.rename(cib.with_suffix(".away"))
    shown = configure.run("commit", "configure")
    assert "ERROR" in shown
    assert "fake=two" in configure.run("show changed", "configure")
    cib.with_suffix(".away").rename(cib)
    configure.run("commit", "configure")
    assert 'value="two"' in cib.read_text(encoding="utf-8")


def test_what_the_schema_refuses_keeps_the_changes(configure: Terminal, cib: Path) -> None:
    before = cib.read_bytes()
    bad = '<primitive id="bad" class="lsb" type="x"><wrong id="n"/></primitive>'
    configure.run(f"xml '{bad}'", "configure")
    configure.enter("commit")
    configure.wait_until(lambda t: "still want to commit" in t.text or t.cursor.endswith("configure# "), "the answer")
    configure.enter("y")
    configure.shows("could not patch cib")
    configure.wait_until(lambda t: t.cursor.endswith("configure# "), "the prompt")
    assert cib.read_bytes() == before
    assert "bad" in configure.run("show xml changed", "configure")


def test_an_editor_that_fails_changes_nothing(start: Start) -> None:
    terminal = start("configure", EDITOR="false")
    terminal.prompt("configure")
    shown = terminal.run("edit web", "configure")
    assert "ERROR" in shown and "unchanged" in shown
    terminal.shows("2 nodes")
    assert "not committed" not in terminal.bottom


def test_the_editor_gets_the_text_and_its_errors_can_be_corrected(start: Start, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text(
        '#!/bin/sh\ngrep -q pramas "$1" && sed -i s/pramas/params/ "$1" || sed -i s/params/pramas/ "$1"\n'
    )
    editor.chmod(0o755)
    terminal = start("configure", EDITOR=str(editor))
    terminal.prompt("configure")
    terminal.run("primitive fresh ocf:pacemaker:Dummy params fake=x", "configure")
    terminal.enter("edit fresh")
    terminal.shows("Edit or discard")
    terminal.enter("y")
    terminal.prompt("configure")
    assert "params fake=x" in terminal.run("show fresh", "configure")


def test_a_terminal_that_goes_away_ends_the_shell_without_a_trace_in_the_cib(configure: Terminal, cib: Path) -> None:
    before = cib.read_bytes()
    configure.run("set web.fake two", "configure")
    configure.child.kill(signal.SIGHUP)
    assert configure.end() != 0
    assert cib.read_bytes() == before


# Two writers


def test_changes_by_others_that_do_not_collide_are_merged(configure: Terminal, cib: Path) -> None:
    configure.run("set web.fake two", "configure")
    _write_as_another(cib, '"no-quorum-policy" value="ignore"', '"no-quorum-policy" value="freeze"')
    shown = configure.run("commit", "configure")
    assert "changed in the meantime" in shown and "cib-bootstrap-options" in shown
    text = cib.read_text(encoding="utf-8")
    assert 'value="two"' in text and 'value="freeze"' in text


@pytest.mark.parametrize(("answer", "value"), [("m", "two"), ("t", "three")])
def test_the_same_changed_by_both_is_shown_and_settled(configure: Terminal, cib: Path, answer: str, value: str) -> None:
    configure.run("set web.fake two", "configure")
    configure.run("primitive mine ocf:pacemaker:Dummy", "configure")
    _write_as_another(cib, 'name="fake" value="one"', 'name="fake" value="three"')
    configure.enter("commit")
    shown = configure.shows(r"Your choice \(m/t/e/c\)\?")
    assert "params fake: was one, theirs three, yours two" in shown
    configure.enter(answer)
    configure.prompt("configure")
    text = cib.read_text(encoding="utf-8")
    assert f'name="fake" value="{value}"' in text
    assert 'id="mine"' in text


def test_a_cancelled_conflict_keeps_both_sides_as_they_are(configure: Terminal, cib: Path) -> None:
    configure.run("set web.fake two", "configure")
    _write_as_another(cib, 'name="fake" value="one"', 'name="fake" value="three"')
    theirs = cib.read_bytes()
    configure.enter("commit")
    configure.shows("Your choice")
    configure.enter("c")
    configure.prompt("configure")
    assert cib.read_bytes() == theirs
    assert "fake=two" in configure.run("show changed", "configure")


def test_a_conflict_can_be_settled_in_the_editor(start: Start, cib: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\ncp "$1" "$1.seen"; cp "$1" seen\nsed -i "/^#/!s/fake=two/fake=four/" "$1"\n')
    editor.chmod(0o755)
    terminal = start("configure", EDITOR=str(editor))
    terminal.prompt("configure")
    terminal.run("set web.fake two", "configure")
    _write_as_another(cib, 'name="fake" value="one"', 'name="fake" value="three"')
    terminal.enter("commit")
    terminal.shows("Your choice")
    terminal.enter("e")
    terminal.prompt("configure")
    assert "theirs:" in (tmp_path / "seen").read_text() and "fake=three" in (tmp_path / "seen").read_text()
    assert 'name="fake" value="four"' in cib.read_text(encoding="utf-8")


def test_switching_to_a_shadow_keeps_or_asks(configure: Terminal) -> None:
    configure.run("set web.fake two", "configure")
    configure.run("cib", "configure cib")
    configure.run("new trial", "configure cib")
    configure.shows(r"crm\(trial/")


# The way around


def test_levels_help_and_shorthand(start: Start) -> None:
    terminal = start()
    terminal.prompt("")
    terminal.run("conf", "configure")
    terminal.run("cd ../node", "node")
    assert "alpha" in terminal.run("show", "node")
    terminal.run("up")
    assert "usage" in terminal.run("help configure commit").lower()
    terminal.enter("quit")
    terminal.shows("bye") if terminal.child.isalive() else None
    assert terminal.end() == 0
