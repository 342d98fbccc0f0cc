"""Bad input to one-shot and scripted crm: a clear message, exit status not 0, the CIB as it was, no shell."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from tests.cluster.test_interactive_shell import CIB
from tests.support.terminal import SOURCE

MEGABYTE = 1 << 20


@pytest.fixture
def cib(tmp_path: Path) -> Path:
    path = tmp_path / "cib.xml"
    path.write_text(CIB, encoding="utf-8")
    return path


def _crm(
    cib: Path, words: Sequence[str], script: bytes = b"", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    values = {
        "PATH": f"{SOURCE / 'bin'}:{os.environ['PATH']}",
        "HOME": str(cib.parent),
        "CIB_file": str(cib),
        "LC_ALL": "C.UTF-8",
    }
    command = [sys.executable, str(SOURCE / "bin" / "crm"), *words]
    values |= environment or {}
    return subprocess.run(
        command, input=script, env=values, capture_output=True, cwd=cib.parent, timeout=60, check=False
    )


def _statement(text: bytes) -> bytes:
    return b"configure\n" + text + b"\ncommit\n"


BAD = {
    "unbalanced quotes": (_statement(b"primitive x ocf:pacemaker:Dummy params fake='open"), b"No closing quotation"),
    "half a statement": (_statement(b"primitive x"), b"Expected at least 2 arguments"),
    "a wrong id": (_statement(b"primitive a/b ocf:pacemaker:Dummy"), b"invalid object id"),
    "an unknown command": (_statement(b"primtxve x ocf:pacemaker:Dummy"), b"No such command"),
    "a line of a megabyte": (_statement(b"location l { " + b"( " * (MEGABYTE // 2)), b"Expected }"),
    "a word of a megabyte": (b"x" * MEGABYTE, b"No such command"),
    "a quotation of a megabyte": (
        _statement(b"primitive x Dummy params fake='" + b"y" * MEGABYTE),
        b"No closing quotation",
    ),
    "a NUL": (
        _statement(b"primitive x ocf:pacemaker:Dummy params fake=a\x00b"),
        b"column 46: control character U+0000",
    ),
    "control characters": (_statement(b"set web.fake \x1b[31m"), b"column 14: control character U+001B"),
    "what is not UTF-8": (_statement(b"set web.fake \xff"), b"byte 0xff is not UTF-8"),
    "something the schema refuses": (
        _statement(b'xml \'<primitive id="x" class="lsb" type="x"><wrong id="n"/></primitive>\''),
        b"wrong",
    ),
    "what does not exist": (_statement(b"delete nothing"), b"nothing does not exist"),
}


@pytest.mark.parametrize(("script", "message"), BAD.values(), ids=list(BAD))
def test_a_bad_line_is_refused_and_changes_nothing(cib: Path, script: bytes, message: bytes) -> None:
    before = cib.read_bytes()
    done = _crm(cib, ["-f", "-"], script)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr) < 20_000
    assert b"Traceback" not in done.stderr
    assert cib.read_bytes() == before


@pytest.mark.parametrize("force", [[], ["-F"]])
def test_the_schema_cannot_be_overruled(cib: Path, force: list[str]) -> None:
    before = cib.read_bytes()
    done = _crm(cib, [*force, "-f", "-"], BAD["something the schema refuses"][0])
    assert done.returncode == 1
    assert cib.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.crm", None, b"No such file or directory"),
        ("folder", b"", b"Is a directory"),
        ("latin.crm", b"primitive x ocf:pacemaker:Dummy params fake=\xe4\n", b"utf-8"),
        (
            "nul.crm",
            b"primitive y ocf:pacemaker:Dummy\nprimitive x ocf:pacemaker:Dummy meta \x00",
            b"line 2, column 38",
        ),
        ("half.crm", b"primitive y ocf:pacemaker:Dummy\nprimitive x ocf:pacemaker:Dummy op", b"syntax in primitive"),
    ],
)
def test_a_bad_file_is_refused_as_a_whole(cib: Path, name: str, content: bytes | None, message: bytes) -> None:
    path = cib.parent / name
    if name == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    before = cib.read_bytes()
    done = _crm(cib, ["-F", "configure", "load", "update", name])
    assert done.returncode == 1
    assert message in done.stderr and b"Traceback" not in done.stderr
    assert cib.read_bytes() == before


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "gopher://127.0.0.1/x", "file:///nonexistent"])
def test_an_url_that_does_not_answer_is_an_error(cib: Path, url: str) -> None:
    before = cib.read_bytes()
    done = _crm(cib, ["-F", "configure", "load", "replace", url])
    assert done.returncode == 1
    assert url.encode() in done.stderr and b"Traceback" not in done.stderr
    assert cib.read_bytes() == before


def test_a_configuration_is_loaded_from_an_url(cib: Path) -> None:
    (cib.parent / "new.crm").write_text("primitive fetched ocf:pacemaker:Dummy\n", encoding="utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(cib.parent))
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = _crm(cib, ["-F", "configure", "load", "update", f"http://127.0.0.1:{server.server_port}/new.crm"])
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert 'id="fetched"' in cib.read_text(encoding="utf-8")
    done = _crm(cib, ["-F", "configure", "load", "push", (cib.parent / "new.crm").as_uri()])
    assert done.returncode == 0, done.stderr
    assert 'id="web"' not in cib.read_text(encoding="utf-8")


def test_without_a_cluster_the_shell_says_so(cib: Path, tmp_path: Path) -> None:
    done = _crm(cib, ["configure", "show"], environment={"CIB_file": "", "HATOOLS_ROOT": str(tmp_path / "none")})
    assert done.returncode == 1
    assert b"could not connect to cib" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "value"),
    [("commit", 1, "three"), ("commit ours", 0, "two"), ("commit theirs", 0, "three"), ("commit force", 0, "two")],
)
def test_a_script_says_beforehand_whose_version_stands(cib: Path, words: str, status: int, value: str) -> None:
    """The other writer is a program that the script runs as a filter, between its change and its commit."""
    writer = cib.parent / "writer"
    writer.write_text(
        '#!/bin/sh\ncat\nsed -i -e \'s/name="fake" value="one"/name="fake" value="three"/\''
        ' -e \'s/ epoch="1"/ epoch="2"/\' cib.xml\n',
        encoding="utf-8",
    )
    writer.chmod(0o755)
    script = f"configure\nprimitive mine ocf:pacemaker:Dummy\nset web.fake two\nfilter {writer} db\n{words}\n"
    done = _crm(cib, ["-f", "-"], script.encode())
    text = cib.read_text(encoding="utf-8")
    assert done.returncode == status, done.stderr
    assert b"changed in the meantime" in done.stdout
    assert f'name="fake" value="{value}"' in text
    assert ('id="mine"' in text) is (status == 0)
    assert status == 0 or b"commit ours" in done.stderr


@pytest.mark.parametrize("text", ["$(touch seen)", "`touch seen`", "x; touch seen", "&& touch seen"])
def test_no_text_reaches_a_shell(cib: Path, text: str) -> None:
    lines = [
        f"primitive p ocf:pacemaker:Dummy params fake='{text}'",
        f"primitive '{text}' ocf:pacemaker:Dummy",
        f"primitive q 'ocf:pacemaker:{text}'",
        f"filter 'cat {text}' web",
        f"save '{text}'",
        f"load update '{text}'",
        f"set 'web.fake' '{text}'",
        f"validate-all '{text}'",
        f"graph dot '{text}'",
        f"ptest '{text}'",
        f"cib new '{text}'",
        f"ra info '{text}'",
    ]
    _crm(cib, ["-F", "-f", "-"], "\n".join(["configure", *lines, "commit"]).encode())
    for words in (
        ["resource", "stop", text],
        ["node", "standby", text],
        ["resource", "meta", "web", "set", "x", text],
    ):
        _crm(cib, ["-F", *words])
    assert not (cib.parent / "seen").exists()


def test_no_code_of_ours_runs_a_shell() -> None:
    wrong = [
        f"{path.relative_to(SOURCE)}: {word}"
        for path in (SOURCE / "lib" / "hatools").rglob("*.py")
        for word in ("shell=True", "os.system(", "os.popen(", "getoutput(", "create_subprocess_shell")
        if word in path.read_text(encoding="utf-8")
    ]
    assert wrong == []
