"""Which nodes may restart their machine. Nothing here restarts one."""

from pathlib import Path

from hatools.runtime.directories import Directories
from hatools.runtime.panic import refusal

MACHINE = "pid:[4026531836]"
SYSTEM = Directories(Path("/"))


def test_only_root_on_a_real_machine_restarts_it() -> None:
    assert refusal(SYSTEM, {}, MACHINE, 0) == ""
    assert "lab" in refusal(Directories(Path("/tmp/lab/node1")), {}, MACHINE, 0)
    assert "namespace" in refusal(SYSTEM, {}, "pid:[4026532201]", 0)
    assert "root" in refusal(SYSTEM, {}, MACHINE, 1000)


def test_an_unknown_action_restarts_nothing() -> None:
    assert refusal(SYSTEM, {"PCMK_panic_action": "sync-crash"}, MACHINE, 0) == ""
    assert "PCMK_panic_action=explode" in refusal(SYSTEM, {"PCMK_panic_action": "explode"}, MACHINE, 0)
