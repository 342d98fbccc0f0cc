"""What runs in the live cluster, and waiting until it has settled. I/O: asks the cluster."""

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hatools.shell.changeset.objects import CLONE_TAGS
from hatools.shell.programs import capture

if TYPE_CHECKING:
    from hatools.shell.session import Session

_DEADLINE_S = 24 * 3600
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 1.0


def is_running(session: "Session", identifier: str) -> bool:
    """Say whether a resource, or the clone that it is in, runs anywhere."""
    if not session.is_live:
        return False
    root = session.configuration.read()
    resources = root.find("configuration/resources") if root is not None else None
    asked = identifier
    for element in resources.iter() if resources is not None else ():
        if element.tag in CLONE_TAGS and any(inner.get("id") == identifier for inner in element.iter()):
            asked = element.get("id") or identifier
    answer = capture("crm_resource", ["-W", "-r", asked])
    return "is running on" in answer.out


def may_remove(session: "Session", identifier: str) -> bool:
    """Say whether a resource may be removed: not running, a group, or not managed."""
    root = session.configuration.read()
    resources = root.find("configuration/resources") if root is not None else None
    if resources is None:
        return True
    element = next((e for e in resources.iter() if e.get("id") == identifier), None)
    if element is None or element.tag == "group" or not _is_managed(session, element):
        return True
    return not is_running(session, identifier)


def _is_managed(session: "Session", element: object) -> bool:
    from xml.etree.ElementTree import Element

    from hatools.shell.changeset.merging import pair_value
    from hatools.values.boolean import is_true

    assert isinstance(element, Element)
    root = session.configuration.read()
    properties = root.find("configuration/crm_config/cluster_property_set") if root is not None else None
    if is_true(pair_value(properties, "maintenance-mode")):
        return False
    defaults = root.find("configuration/rsc_defaults/meta_attributes") if root is not None else None
    for block in (element.find("meta_attributes"), defaults):
        value = pair_value(block, "is-managed")
        if value is not None:
            return is_true(value)
    return True


def stop_running(session: "Session", names: Sequence[str]) -> None:
    """Stop those of the resources that run, and wait until they are down.

    Raises:
        ValueError: one could not be stopped.
    """
    running = [name for name in names if is_running(session, name)]
    if not running:
        return
    from hatools.shell.changing import resources_named, set_meta_of

    workspace = session.configuration.workspace
    for name in running:
        for item in resources_named(workspace, name):
            item.touch()
            set_meta_of(session, workspace, item.top(), "target-role", "Stopped")
    if not session.configuration.commit():
        raise ValueError(f"Failed to stop one or more running resources: {', '.join(running)}")
    wait_until_settled(session, f"Stopping {', '.join(running)}")


def controller() -> str | None:
    """Return the name of the DC; None if there is none."""
    answer = capture("crmadmin", ["-D"])
    words = answer.out.split()
    return words[-1] if answer.status == 0 and words and words[0] == "Designated" else None


def wait_for_controller(limit_s: float) -> bool:
    """Wait until this node knows a DC; return whether it does in time."""
    deadline = time.monotonic() + limit_s
    while controller() is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_FIRST_PAUSE_S)
    return True


def wait_until_settled(session: "Session", what: str = "") -> bool:
    """Wait until the DC has nothing left to do; False if there is none.

    The controller is asked again and again, because a transition may begin a moment after a change.
    """
    if not session.is_live:
        return True
    if controller() is None:
        session.console.warning("can't find DC")
        return False
    deadline = time.monotonic() + _DEADLINE_S
    pause = _FIRST_PAUSE_S
    shows_progress = not session.is_batch and sys.stderr.isatty()
    dots = 0
    while time.monotonic() < deadline:
        dc = controller()
        if dc is None:
            session.console.warning("DC lost during wait")
            return False
        answer = capture("crmadmin", ["-S", dc])
        if answer.status != 0:
            session.console.error(f"Exit code of command crmadmin -S {dc} is {answer.status}")
            return False
        if "S_IDLE" in answer.out and "ok" in answer.out:
            if dots:
                print(" done", file=sys.stderr)
            return True
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_S)
        if shows_progress:
            if not dots:
                print(f"waiting for {what} to finish ", end="", file=sys.stderr, flush=True)
            dots += 1
            print(".", end="", file=sys.stderr, flush=True)
    return False
