"""What ``crm_standby``, ``crm_failcount`` and ``crm_master`` share: commands made of other commands. I/O.

The originals are shell scripts around getopt(1); they answer a wrong command line with a blank line and the usage on
standard output, the error itself on standard error.
"""

import contextlib
import io
import sys

from hatools.cli import crm_attribute
from hatools.cli.gnu_options import Entry, GnuLine, parse
from hatools.cli.options import Finished

ATTRIBUTE_ENTRIES = (
    Entry("help"),
    Entry("version"),
    Entry("verbose", "V"),
    Entry("quiet", "q"),
    Entry("query", "G"),
    Entry("update", "v", argument=1),
    Entry("delete", "D"),
    Entry("node", "N", argument=1),
    Entry("lifetime", "l", argument=1),
    Entry("id", "i", argument=1),
    Entry("uname", "U", argument=1),
    Entry("get-value"),
    Entry("delete-attr"),
    Entry("attr-value", argument=1),
    Entry("attr-id", argument=1),
    Entry("", "Q"),
)
"""What every command takes that is ``crm_attribute`` with one attribute given."""


def read_words(name: str, entries: tuple[Entry, ...], argv: list[str], usage: str, code: int) -> GnuLine:
    """Parse a command line.

    Raises:
        Finished: it is wrong; that was said.
    """
    line = parse(entries, argv, name)
    if line.errors:
        print("\n".join(line.errors), file=sys.stderr)
        raise Finished(refuse(None, usage, code))
    return line


def refuse(text: str | None, usage: str, code: int) -> int:
    """Say what is wrong and how the command is used; return the exit status."""
    if text is not None:
        print(f"error: {text}", file=sys.stderr, flush=True)
    print(f"\n{usage}")
    return code


def show_version() -> int:
    """Answer ``--version``."""
    return crm_attribute.main(["--version"])


def attribute(options: list[str]) -> int:
    """Run crm_attribute; its output is ours."""
    return crm_attribute.main(options)


def attribute_silently(options: list[str]) -> int:
    """Run crm_attribute only for its exit status."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return crm_attribute.main(options)


def attribute_value(options: list[str]) -> str:
    """Run crm_attribute and return what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        crm_attribute.main(options)
    return printed.getvalue().strip()
