"""What commands import: scripts and agents call them all the time, so each loads only what the call needs."""

import subprocess
import sys
from pathlib import Path

import pytest

LIB = Path(__file__).resolve().parents[3] / "lib"
CIB = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">
<configuration><crm_config/><nodes><node id="1" uname="a"/></nodes><resources>
<primitive id="p" class="ocf" provider="pacemaker" type="Dummy"/></resources><constraints/></configuration>
<status><node_state id="1" uname="a" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>"""
PROBE = """
import sys
sys.path.insert(0, sys.argv[1])
from importlib import import_module
main = import_module("hatools.cli." + sys.argv[2]).main
sys.argv = sys.argv[2:]
code = main(sys.argv[1:])
print("\\n".join(sys.modules), file=sys.stderr)
sys.exit(code)
"""
NEVER = {
    "asyncio",
    "dataclasses",
    "hashlib",
    "hatools.parser",
    "hatools.shell",
    "hatools.transition",
    "importlib.resources",
    "inspect",
    "prompt_toolkit",
    "pyparsing",
    "subprocess",
}
NO_SCHEDULER = {*NEVER, "hatools.scheduler", "hatools.status"}
NO_PLACEMENT = {
    *NEVER,
    "hatools.scheduler.actions",
    "hatools.scheduler.ordering",
    "hatools.scheduler.placement",
    "hatools.scheduler.stages",
    "hatools.scheduler.summary",
}


def modules_of(words: list[str], environment: dict[str, str]) -> set[str]:
    """Return what one call imports."""
    answer = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, str(LIB), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in answer.stderr
    return set(answer.stderr.split())


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["cibadmin", "-Q"], {*NO_SCHEDULER, "hatools.cib.operations", "hatools.cib.xpath"}),
        (
            ["crm_attribute", "-t", "crm_config", "-n", "x", "-G", "-d", "y"],
            {*NO_SCHEDULER, "hatools.cib.edits", "hatools.cib.rules"},
        ),
        (["crm_resource", "-l"], {*NO_PLACEMENT, "hatools.cib.operations", "hatools.status"}),
        (["crm_mon", "-1"], NO_PLACEMENT),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_question_imports_only_what_it_needs(words: list[str], unwanted: set[str], tmp_path: Path) -> None:
    file = tmp_path / "cib.xml"
    file.write_text(CIB)
    assert modules_of(words, {"CIB_file": str(file), "HOME": str(tmp_path)}) & unwanted == set()


def test_a_question_to_the_cluster_does_not_import_libxml2(tmp_path: Path) -> None:
    """Only a file has to be validated; the daemon has validated what it answers."""
    imported = modules_of(["cibadmin", "-Q"], {"HATOOLS_ROOT": str(tmp_path), "HOME": str(tmp_path)})
    assert "hatools.ipc.blocking" in imported
    assert imported & {*NO_SCHEDULER, "hatools.cib.operations", "hatools.cib.schema", "lxml.etree"} == set()


def test_a_command_starts_without_site_and_finds_installed_packages_when_it_needs_them(tmp_path: Path) -> None:
    """A CIB file is validated by lxml, which lives where only ``site`` looks."""
    file = tmp_path / "cib.xml"
    file.write_text(CIB)
    code = f"import sys; sys.path.insert(0, {str(LIB)!r}); from hatools.cli.entry import run; run('cibadmin')"
    for argument, needed in (("-$", False), ("-Q", True)):
        done = subprocess.run(
            [sys.executable, "-IS", "-X", "importtime", "-c", code, argument],
            env={"CIB_file": str(file), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert ("site" in imported, "lxml.etree" in imported) == (needed, needed)
