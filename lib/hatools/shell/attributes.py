"""Setting, deleting and showing single attributes: what the levels have in common. I/O."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from hatools.shell.programs import call, is_name_sane

if TYPE_CHECKING:
    from hatools.shell.context import Context
    from hatools.shell.session import Session

# resource or node, what to do, attribute, value
Words = tuple[str, str, str, str | None]


def manage(
    session: "Session", context: "Context", words: Words, known: tuple[str, ...], run: Callable[[], int]
) -> bool:
    """Check the words of an attribute command, then run it; a wrong one is answered with its usage."""
    owner, what, name, value = words
    problem = ""
    if what not in known:
        problem = repr(what)
    elif what == "set" and value is None:
        problem = "Missing value argument to set"
    elif what != "set" and value is not None:
        problem = f"Too many arguments to {what}"
    elif what == "get":
        problem = "Unknown command 'get'"
    else:
        wrong = next((word for word in (owner, name, value) if word and not is_name_sane(word)), None)
        if wrong is not None:
            problem = f"Expected valid name, got '{wrong}'"
    if problem:
        written = " ".join(word for word in words if word is not None)
        session.console.error(f"Bad usage: {problem}, command: '{context.word} {written}'")
        return False
    return run() == 0


def manage_secret(session: "Session", context: "Context", words: Words) -> bool:
    """Keep a parameter's value out of the CIB, or bring it back."""
    resource, what, name, value = words
    known = {"set": "set", "stash": "stash", "unstash": "unstash", "delete": "delete", "show": "get", "check": "check"}

    def run() -> int:
        if not session.is_live:
            print("ERROR: pacemaker not running? cibsecret needs pacemaker")
            return 1
        return call("cibsecret", known[what], resource, name, *([value] if value is not None else []))

    return manage(session, context, words, tuple(known), run)
