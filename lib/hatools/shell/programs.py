"""Other commands of ours, called inside this process instead of being forked. I/O."""

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module

from hatools.values.errors import HatoolsError
from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


@contextmanager
def _as_program(command: str) -> Iterator[None]:
    """Let messages carry the command's name."""
    saved = sys.argv
    sys.argv = [command]
    try:
        yield
    finally:
        sys.argv = saved


def call(command: str, *argv: str) -> int:
    """Run a command with this process's output; return its exit status."""
    sys.stdout.flush()
    main = import_module(f"hatools.cli.{command.replace('-', '_')}").main
    with _as_program(command):
        try:
            status = int(main(list(argv)))
        except HatoolsError as error:
            print(f"{command}: error: {error}", file=sys.stderr)
            status = int(error.exit_code)
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
    sys.stdout.flush()
    return status


def capture(command: str, argv: Sequence[str]) -> Answer:
    """Run a command and keep what it prints."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = call(command, *argv)
    return Answer(status, out.getvalue(), err.getvalue())


def is_name_sane(name: str) -> bool:
    """Say whether a name can be that of a resource, node or attribute."""
    return "'" not in name
