"""The one exception tree of hatools. Pure.

::

    HatoolsError                 anything we raise on purpose; carries an exit code
    ├── InputError               what a person, file or socket gave us is wrong
    │   ├── UsageError           a command line is wrong
    │   ├── SyntaxProblem        text does not parse; has line and column
    │   ├── SchemaError          a CIB does not satisfy its schema
    │   ├── InvalidChangeError   a change of the CIB makes no sense
    │   └── ConfigError          a configuration file has a wrong value
    ├── NoSuchObjectError        the thing named does not exist
    ├── AlreadyExistsError       the thing named exists already
    ├── PermissionRefusedError   the caller lacks the right
    │   └── NoPermissionsError   the caller has no rights at all
    ├── UnavailableError         a daemon, peer or file cannot be reached now
    │   └── DisconnectedError    the other side of a socket went away
    ├── DeadlineError            something did not finish in time
    ├── StaleError               the change was made against an old version
    ├── PatchError               a patch does not fit what it is applied to
    │   └── PatchAheadError      it starts from a newer version than ours
    ├── SchemaUnchangedError     the CIB is at the newest schema already
    ├── NotSupportedError        asked for what this version cannot do
    ├── RemoteError              a peer broke the protocol
    └── LocalError               we misused one of our own cores (a bug)

``cli/entry.py`` alone turns these into exit codes and messages.
"""

from hatools.values.exitcode import ExitCode


class HatoolsError(Exception):
    """Base class: the message says what happened, to what, and what to do next."""

    exit_code: ExitCode = ExitCode.ERROR

    system_text: str = ""
    """How Pacemaker 2.1.5's commands word this failure (``pcmk_rc_str``), empty where they have no such word."""

    details: str = ""
    """XML that explains the failure, as commands print it (``<failed>``); empty if there is none."""


class InputError(HatoolsError):
    """Input from a person, a file, a socket or the network is wrong."""

    exit_code = ExitCode.DATAERR


class UsageError(InputError):
    """A command line is wrong."""

    exit_code = ExitCode.USAGE


class SyntaxProblem(InputError):
    """Text does not parse.

    Args:
        line, column: 1-based place of the fault, 0 where it is unknown.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class SchemaError(InputError):
    """A CIB does not satisfy the schema that it names."""

    exit_code = ExitCode.CONFIG
    system_text = "Update does not conform to the configured schema"


class InvalidChangeError(InputError):
    """A change of the CIB lacks what it needs or contradicts itself."""

    exit_code = ExitCode.SOFTWARE
    system_text = "Invalid argument"


class ConfigError(InputError):
    """A configuration file cannot be used."""

    exit_code = ExitCode.CONFIG


class NoSuchObjectError(HatoolsError):
    """The object named does not exist."""

    exit_code = ExitCode.NOSUCH
    system_text = "No such device or address"


class AlreadyExistsError(HatoolsError):
    """The object named exists already."""

    exit_code = ExitCode.EXISTS
    system_text = "File exists"


class PermissionRefusedError(HatoolsError):
    """The caller may not do this."""

    exit_code = ExitCode.INSUFFICIENT_PRIV
    system_text = "Permission denied"


class NoPermissionsError(PermissionRefusedError):
    """The caller has no permissions of any kind."""


class UnavailableError(HatoolsError):
    """A daemon, a peer or a file cannot be reached now."""

    exit_code = ExitCode.UNAVAILABLE


class DisconnectedError(UnavailableError):
    """The other side of a socket is not there or went away."""

    exit_code = ExitCode.DISCONNECT
    system_text = "Transport endpoint is not connected"


class DeadlineError(HatoolsError):
    """Something did not finish in the time it was given."""

    exit_code = ExitCode.TIMEOUT
    system_text = "Timer expired"


class StaleError(HatoolsError):
    """The change was made against an older version than the current one."""

    exit_code = ExitCode.OLD
    system_text = "Update was older than existing configuration"


class PatchError(HatoolsError):
    """A patch does not fit the document."""

    exit_code = ExitCode.ERROR
    system_text = "Application of update diff failed"


class PatchAheadError(PatchError):
    """A patch starts from a version newer than the document's."""

    system_text = "Application of update diff failed, requesting full refresh"


class SchemaUnchangedError(HatoolsError):
    """The CIB is at the newest schema already."""

    exit_code = ExitCode.OK
    system_text = "Schema is already the latest available"


class NotSupportedError(HatoolsError):
    """Asked for something that this version cannot do."""

    exit_code = ExitCode.PROTOCOL
    system_text = "Protocol not supported"


class RemoteError(HatoolsError):
    """A peer broke the protocol; its connection is dropped."""

    exit_code = ExitCode.PROTOCOL


class LocalError(HatoolsError):
    """A core was driven in a way it does not allow: a bug of ours."""

    exit_code = ExitCode.SOFTWARE
