"""Command lines of the corosync-* tools: getopt, with the C library's words for mistakes. I/O: complains itself."""

import getopt
import sys


def parse(
    program: str, argv: list[str], short: str, long: tuple[str, ...] = ()
) -> tuple[list[tuple[str, str]], list[str]] | None:
    """Return (option, value) pairs and the other words; None after a mistake, which has been complained about."""
    try:
        return getopt.gnu_getopt(argv, short, list(long))
    except getopt.GetoptError as error:
        sys.stdout.flush()
        print(f"{program}: {_text(error)}", file=sys.stderr, flush=True)
        return None


def _text(error: getopt.GetoptError) -> str:
    option = error.opt
    shown = f"-- '{option}'" if len(option) == 1 else f"'--{option}'"
    if "requires argument" in error.msg:
        return f"option requires an argument {shown}" if len(option) == 1 else f"option {shown} requires an argument"
    return f"invalid option {shown}" if len(option) == 1 else f"unrecognized option {shown}"
