"""Why a resource is where it is. I/O: reads the CIB, asks the scheduler."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hatools.shell.commands import CommandError

if TYPE_CHECKING:
    from hatools.shell.session import Session


def explain(session: "Session", resource: str, args: Sequence[str]) -> bool:
    """Show the scheduler's reasons for a resource, on one node if that is named; as JSON if asked for.

    JSON is a list of objects with ``resource``, ``node``, ``cause``, ``evidence``, ``text`` and ``suggestion``.
    """
    words = [word for word in args if word not in ("on", "--json")]
    if len(words) > 1:
        raise CommandError("usage: why <rsc> [on <node>] [--json]")
    node = words[0] if words else None
    from hatools.cib.document import Document
    from hatools.scheduler.reasons import explain as explain_records
    from hatools.scheduler.schedule import schedule
    from hatools.values.iso8601 import Moment

    root = session.configuration.read()
    if root is None:
        return False
    now = time.time()
    plan = schedule(Document(root), Moment.from_epoch(int(now), time.localtime(now).tm_gmtoff))
    found = explain_records(plan, resource, node)
    if session.output_format == "json" or "--json" in args:
        import json

        print(json.dumps([explanation.as_dict() for explanation in found], indent=2))
    else:
        for explanation in found:
            print(explanation)
    return bool(found)
