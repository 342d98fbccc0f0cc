"""Errors on the wire: a refusal names its class, and the caller gets that class raised. Pure."""

from hatools.ipc.messages.session import Refused
from hatools.values import errors
from hatools.values.errors import HatoolsError, RemoteError
from hatools.values.exitcode import ExitCode


def refusal_of(error: HatoolsError) -> Refused:
    """Describe an error to the other side."""
    return Refused(type(error).__name__, int(error.exit_code), str(error), error.details, error.system_text)


def error_of(refusal: Refused) -> HatoolsError:
    """Rebuild the error that a refusal describes; unknown classes become HatoolsError."""
    cls = getattr(errors, refusal.error, HatoolsError)
    if not (isinstance(cls, type) and issubclass(cls, HatoolsError)):
        cls = RemoteError
    error: HatoolsError = cls(refusal.text)
    try:
        error.exit_code = ExitCode(refusal.exit_code)
    except ValueError:
        error.exit_code = ExitCode.ERROR
    error.details = refusal.details
    error.system_text = refusal.system_text or error.system_text
    return error
