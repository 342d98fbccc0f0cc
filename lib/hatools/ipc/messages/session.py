"""Words every daemon's socket understands. Pure."""

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class Hello:
    """First words of a client, and the server's reply to them: who speaks."""

    name: str
    pid: int
    version: str = ""


@dataclass(frozen=True, slots=True)
class Ping:
    """Request: prove that your event loop turns. Answer: :class:`Done`."""


@dataclass(frozen=True, slots=True)
class Done:
    """Answer: carried out, there is nothing more to say."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Refusal of a request: the error class of ``values.errors``, exit code and text for a person.

    ``details`` is the error's XML, ``system_text`` its words for Pacemaker's commands where the class does not say.
    """

    error: str
    exit_code: int
    text: str
    details: str = ""
    system_text: str = ""
