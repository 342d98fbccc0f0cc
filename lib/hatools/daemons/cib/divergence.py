"""What a copy holds that the agreed one has not, and what of a change goes to disk. Pure."""

from hatools.cib.document import Document, Element, empty_document
from hatools.cib.merge import same_content
from hatools.daemons.cib.applying import patch_between, stored_form
from hatools.daemons.cib.effects import Mark
from hatools.ipc.messages.cib_peers import PeerState

SHOWN_CHANGES = 20

_EMPTY_CONFIGURATION = empty_document().root[0]


def has_own_changes(document: Document, mark: Mark, winning: PeerState) -> bool:
    """Say whether a copy holds changes that the agreed content was not made from; an empty one holds none."""
    configuration = document.configuration
    if configuration is None or same_content(configuration, _EMPTY_CONFIGURATION):
        return False
    version = document.version
    base = mark.base[:2]
    return (version.admin_epoch, version.epoch) != base or base > winning.base[:2]


def describe_discarded(mine: Document, theirs: Document) -> str:
    """Say, for the log, what is lost when this node's copy gives way."""
    text = f"CIB version {mine.version} of this node gives way to {theirs.version}; it is kept as a backup"
    patch = patch_between(stored_form(theirs), stored_form(mine))
    changes = [] if patch is None else [change for change in patch if change.tag == "change"]
    shown = ", ".join(f"{change.get('operation')} {change.get('path')}" for change in changes[:SHOWN_CHANGES])
    more = f" and {len(changes) - SHOWN_CHANGES} more" if len(changes) > SHOWN_CHANGES else ""
    return f"{text}; discarded: {shown}{more}" if shown else text


def touches_status(patch: Element) -> bool:
    """Say whether a patch changes what is not kept on disk (a changed configuration has ``num_updates`` 0 anyway)."""
    return any(
        change.get("path", "").startswith("/cib/status")
        or (change.get("path") == "/cib" and change.get("operation") != "modify")
        for change in patch
    )
