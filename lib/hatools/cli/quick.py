"""The short way through the commands that agents and scripts call in loops. I/O.

``attrd_updater -n NAME -U VALUE``, ``crm_attribute -l reboot -N NODE -n NAME -v VALUE`` and ``cibadmin -M -X XML`` in
their usual spellings take little more time than Python needs to start: what they need is here and in ``ipc.brief``,
and nothing else is imported. Everything unusual (other options, a CIB file, a value that counts up) and everything
that goes wrong is None here: the command itself then begins anew and answers in full.
"""

from hatools.ipc.brief import Fields, ask, greet

__all__ = ["QUICK"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Mapping

_LOCAL_NODE = ("", "auto", "localhost")


def _read(argv: list[str], valued: "Mapping[str, str]", flags: "Mapping[str, str]") -> dict[str, str] | None:
    """Return the meaning of each option with its value, None if there is any other word or an option comes twice."""
    found: dict[str, str] = {}
    words = iter(argv)
    for word in words:
        option, equals, value = word.partition("=")
        if word in flags:
            meaning, value = flags[word], ""
        elif word in valued:
            meaning, value = valued[word], next(words, "--")
            if value.startswith("-") and value != "-INFINITY":
                return None
        elif equals and option.startswith("--") and option in valued:
            meaning = valued[option]
        else:
            return None
        if meaning in found:
            return None
        found[meaning] = value
    return found


def _socket(environ: "Mapping[str, str]", daemon: str) -> str | None:
    """Return a daemon's socket; None if the environment names another CIB or another user."""
    if environ.get("CIB_file") or environ.get("CIB_shadow") or environ.get("CIB_user"):
        return None
    return f"{(environ.get('HATOOLS_ROOT') or '/').rstrip('/')}/run/hatools/{daemon}.sock"


def _counts(value: str) -> bool:
    """Say whether a value depends on the one before it, so that the request must not be sent twice."""
    return "++" in value or "+=" in value


def _done(
    attrd: "socket | None", name: str, value: str | None, node: str, **more: str | bool | int | None
) -> int | None:
    fields: Fields = {"name": name, "value": value, "node": node, **more}
    return 0 if ask(attrd, "attrd.UpdateAttribute", fields, "session.Done") is not None else None


def _attrd_updater(argv: list[str], environ: "Mapping[str, str]") -> int | None:
    """Set an attribute, on the local node or on another one."""
    valued = {"-n": "name", "--name": "name", "-U": "value", "--update": "value", "-N": "node", "--node": "node"}
    line = _read(argv, valued, {"-q": "quiet", "--quiet": "quiet", "-p": "private", "--private": "private"})
    attrd = _socket(environ, "attrd")
    if line is None or attrd is None or not line.get("name") or _counts(line.get("value", "++")):
        return None
    node = line.get("node", "")
    if "node" in line and node in _LOCAL_NODE:
        return None
    return _done(greet(attrd, "attrd_updater"), line["name"], line["value"], node, private="private" in line)


def _crm_attribute(argv: list[str], environ: "Mapping[str, str]") -> int | None:
    """Set an attribute until reboot, or a promotion score, on a node that the CIB lists."""
    valued = {
        "-n": "name", "--name": "name", "-p": "promotion", "--promotion": "promotion", "-v": "value",
        "--update": "value", "-l": "lifetime", "--lifetime": "lifetime", "-N": "node", "--node": "node",
    }  # fmt: skip
    line = _read(argv, valued, {"-q": "quiet", "--quiet": "quiet", "-Q": "quiet"})
    attrd, cib = _socket(environ, "attrd"), _socket(environ, "cib")
    if line is None or attrd is None or cib is None or _counts(line.get("value", "++")):
        return None
    name = f"master-{line['promotion']}" if line.get("promotion") else line.get("name", "")
    if not name or len({"name", "promotion"} & line.keys()) != 1:
        return None
    if line.get("lifetime", "reboot" if "promotion" in line else "") != "reboot":
        return None
    node = line.get("node") or _node_of_agent(environ)
    if node in _LOCAL_NODE or not node.replace("-", "").replace(".", "").replace("_", "").isalnum():
        return None
    waiting = greet(attrd, "crm_attribute")  # attrd lets us in while cib answers
    nodes = ask(greet(cib, "crm_attribute"), "cib.Query", {"section": "nodes"}, "cib.QueryResult")
    if nodes is None or f' uname="{node}"'.encode() not in nodes:
        return None
    return _done(waiting, name, line["value"], node)


def _node_of_agent(environ: "Mapping[str, str]") -> str:
    """Return the node that an agent which is no bundle's runs for."""
    if environ.get("OCF_RESKEY_CRM_meta_physical_host"):
        return ""
    return environ.get("OCF_RESKEY_CRM_meta_on_node", "")


def _cibadmin(argv: list[str], environ: "Mapping[str, str]") -> int | None:
    """Modify the CIB by XML on the command line."""
    valued = {"-X": "xml", "--xml-text": "xml", "-o": "section", "--scope": "section"}
    flags = {"-M": "modify", "--modify": "modify", "-c": "create", "--allow-create": "create"}
    line = _read(argv, valued, flags)
    cib = _socket(environ, "cib")
    if line is None or cib is None or "modify" not in line or not _is_plain_xml(line.get("xml", "")):
        return None
    fields: Fields = {
        "operation": "cib_modify",
        "section": line.get("section", ""),
        "xml": line["xml"].encode("utf-8", "surrogateescape"),
        "allow_create": "create" in line,
    }
    if "section" in line and not line["section"]:
        return None
    return 0 if ask(greet(cib, "cibadmin"), "cib.Change", fields, "cib.Changed") is not None else None


def _is_plain_xml(text: str) -> bool:
    """Say whether a text is nothing but tags; whether they are right the daemon will say."""
    if not text.startswith("<") or "<!" in text or "<?" in text or _counts(text):
        return False
    return all(not part or part.isspace() or part.lstrip().startswith("<") for part in text.split(">")[1:])


QUICK: "dict[str, Callable[[list[str], Mapping[str, str]], int | None]]" = {
    "attrd_updater": _attrd_updater,
    "crm_attribute": _crm_attribute,
    "cibadmin": _cibadmin,
}
"""Commands with a short way: called with the words and the environment, None means the long way."""
