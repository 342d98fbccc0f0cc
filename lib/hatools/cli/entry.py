"""The one place where errors become messages and exit codes. I/O.

Every command is a module of this package with ``main(argv) -> exit status`` (``argv`` without the program's
name); ``bin/`` scripts and the installed commands call :func:`run`.
"""

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module

Main = Callable[[list[str]], int]


def run(command: str) -> None:
    """Run ``hatools.cli.COMMAND`` on the command line of this process and exit."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main: Main = import_module(f"hatools.cli.{command}").main
    sys.exit(guarded(main, sys.argv[1:]))


def guarded(main: Main, argv: list[str]) -> int:
    """Call a command; an error it does not answer itself is printed as ``PROGRAM: error: TEXT``."""
    from hatools.values.errors import HatoolsError

    try:
        return main(argv)
    except HatoolsError as error:
        print(f"{os.path.basename(sys.argv[0])}: error: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 128 + signal.SIGINT
