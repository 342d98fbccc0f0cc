"""From a wizard's file and what was given to its actions."""

from pathlib import Path

import pytest

from hatools.shell.scripts.actions import plan, statements
from hatools.shell.scripts.loading import Library, ScriptError
from hatools.shell.scripts.parameters import check, tree_of

INNER = """
version: 2.2
category: Script
shortdesc: An address
parameters:
  - {name: id, required: true, type: resource}
  - {name: ip, required: true, type: ip_address}
  - {name: mask, type: integer}
actions:
  - cib: |
      primitive {{id}} IPaddr2 ip="{{ip}}" {{#mask}}cidr_netmask="{{mask}}"{{/mask}}
"""

OUTER = """
- version: 2.2
  category: Server
  shortdesc: A server
  include:
    - script: inner
      name: address
      parameters:
        - {name: id, value: "{{id}}-ip"}
    - script: inner
      name: second
      required: false
  parameters:
    - {name: id, required: true, type: resource}
    - {name: install, type: boolean, value: false}
    - {name: mode, type: enum, values: "fast slow", value: fast}
    - {name: word, value: harmless}
  actions:
    - install: [one, "{{id}}"]
      when: install
    - install: two
      when: install
    - service: ["{{id}}": disable]
      when: mode == "slow"
    - call: touch /tmp/{{word}}
      when: mode == "slow"
    - include: address
    - include: second
    - cib: |
        primitive {{id}} Dummy

        group g-{{id}}
          {{address:id}}
          {{second:id}}
          {{id}}
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "inner.yml").write_text(INNER)
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer/main.yml").write_text(OUTER)
    return Library([tmp_path])


def actions(library: Library, name: str, *words: str) -> list[tuple[str, str]]:
    script = library.load(name)
    values, _ = check(script, tree_of([(word.partition("=")[0], word.partition("=")[2]) for word in words]))
    return [(action.kind, action.text) for action in plan(script, values)]


def test_definitions_of_included_wizards_join_those_of_the_wizard(library: Library) -> None:
    [(kind, text)] = actions(library, "outer", "id=web", "address:ip=10.0.0.1")
    assert kind == "cib"
    assert text == ('primitive web-ip IPaddr2 ip="10.0.0.1"\n\nprimitive web Dummy\n\ngroup g-web\n\tweb-ip\n\tweb')


def test_a_step_that_may_be_left_out_comes_in_when_it_is_given(library: Library) -> None:
    [(_, text)] = actions(
        library, "outer", "id=w", "address:ip=10.0.0.1", "second:id=s", "second:ip=::1", "second:mask=8"
    )
    assert 'primitive s IPaddr2 ip="::1" cidr_netmask="8"' in text
    assert "\tw-ip\n\ts\n\tw" in text


def test_conditions_decide_and_neighbours_become_one(library: Library) -> None:
    found = actions(library, "outer", "id=w", "address:ip=10.0.0.1", "install=yes", "mode=SLOW")
    assert [kind for kind, _ in found] == ["install", "service", "call", "cib"]
    assert found[0][1] == "one w two"
    assert found[1][1] == "w -> disable"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), r"Missing required parameter\(s\): id, address:ip"),
        (("id=w", "address:ip=10.0.0"), "ip=10.0.0 is not an IP address"),
        (("id=a b", "address:ip=1.2.3.4"), "id=a b invalid resource identifier"),
        (("id=w", "address:ip=1.2.3.4", "mode=other"), r"mode=other does not match 'fast\|slow'"),
        (("id=w", "address:ip=1.2.3.4", "address:mask=x"), "mask=x is not an integer"),
        (("id=w", "address:ip=1.2.3.4", "colour=red"), "Unknown parameter colour"),
        (("id=w", "address:ip=1.2.3.4", "address:colour=red"), "Unknown parameter address:colour"),
        (("id=w", "address=1.2.3.4"), "address has parameters of its own"),
        (("id=w", "address:ip=1.2.3.4", "second:id=s"), r"Missing required parameter\(s\): second:ip"),
    ],
)
def test_what_is_wrong_with_the_parameters_is_said(library: Library, words: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        actions(library, "outer", *words)


@pytest.mark.parametrize("value", ["a b", "$(id)", "a;b", "`id`", "a|b", "'", "-rf", "a\nb"])
def test_a_shell_gets_no_value_that_it_would_understand(library: Library, value: str) -> None:
    with pytest.raises(ValueError, match="goes into a shell command"):
        actions(library, "outer", "id=w", "address:ip=1.2.3.4", "mode=slow", f"word={value}")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("version: 2.2\nactions: [{include: gone}]\n", "Script references 'gone'"),
        ("version: 3\n", "Unknown version"),
        ("version: 2.2\nactions: [{dance: yes}]\n", "Unknown action"),
        ("version: 2.2\nparameters: [{type: string}]\n", "Parameter has no name"),
        ("version: 2.2\ninclude: [{name: x}]\n", "Unknown include type"),
        ("version: 2.2\ninclude: [{agent: ocf:no:such}]\n", "No meta-data for agent"),
        ("version: 2.2\ninclude: [{script: broken}]\n", "includes itself"),
        ("{", "Failed to parse script main"),
        ("!!python/object/apply:os.system ['true']", "Failed to parse script main"),
        ("just text", "no mapping"),
    ],
)
def test_a_broken_wizard_is_told_by_name(library: Library, tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "broken.yml").write_text(text)
    with pytest.raises(ScriptError, match=f"Error when loading script broken.*{complaint}"):
        library.load("broken")


def test_a_wizard_of_old_is_read(library: Library, tmp_path: Path) -> None:
    (tmp_path / "old.yml").write_text(
        "- name: Old one\n  description: Long\n  parameters:\n    - {name: a, default: x, description: An a}\n"
        "  steps:\n    - {name: Do it, call: 'echo {{a}}'}\n"
    )
    script = library.load("old")
    assert (script.category, script.short_text) == ("Legacy", "Old one")
    assert [(action.short_text, action.content) for action in plan(script, check(script, {})[0])] == [
        ("Do it", "echo x")
    ]


def test_definitions_are_put_on_single_lines() -> None:
    assert (
        statements("primitive a Dummy\n\top monitor\n\ngroup g\n\ta\n") == "primitive a Dummy op monitor\ngroup g a\n"
    )


def test_the_wizards_that_come_with_the_shell_can_be_read() -> None:
    folder = Path(__file__).resolve().parents[4] / "lib/hatools/shell/scripts/shipped"
    library = Library([folder])
    names = [path.stem for path in folder.glob("*.yml")]
    assert len(names) >= 9
    for name in names:
        assert library.load(name).short_text
