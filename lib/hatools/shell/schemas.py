"""Changing the schema of the CIB. I/O."""

from typing import TYPE_CHECKING

from hatools.parser.dialect import dialect_for, is_known_schema
from hatools.shell.programs import call

if TYPE_CHECKING:
    from hatools.shell.session import Session


def change_schema(session: "Session", name: str) -> bool:
    """Name another schema, unless there are objects that it does not know."""
    workspace = session.configuration.workspace
    if name == workspace.schema:
        session.console.info(f"already using schema {name}")
        return True
    if not is_known_schema(name):
        path = f"/usr/share/pacemaker/{name}.rng"
        session.console.error(f"Cannot read schema file '{path}': [Errno 2] No such file or directory: '{path}'")
        session.console.error(f"schema {name} does not exist")
        return False
    unknown = dialect_for(name).unsupported
    conflicting = [item for item in workspace.objects if item.word in unknown]
    for item in conflicting:
        session.console.error(f"Element '{item.node.tag}' is not supported by the RNG schema {name}")
    if conflicting:
        session.console.error(f"Schema {name} conflicts with current configuration")
        return True
    workspace.change_schema(name)
    return True


def upgrade(session: "Session", *, force: bool) -> bool:
    """Upgrade the CIB to the newest schema; only a very old one is upgraded without being forced."""
    schema = session.configuration.workspace.schema
    if force or not schema or "0.6" in schema:
        return call("cibadmin", "--upgrade", "--force") == 0
    return True
