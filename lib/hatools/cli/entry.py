"""The one place where errors become messages and exit codes. I/O.

Every command is a module of this package with ``main(argv) -> exit status`` (``argv`` without the program's
name); ``bin/`` scripts and the installed commands call :func:`run`.
"""

import gc
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import NoReturn

Main = Callable[[list[str]], int]

_OBJECTS_BEFORE_COLLECTING = 100_000
"""Most commands end before they made so many; looking for garbage meanwhile would take a tenth of their time."""


def run(command: str) -> NoReturn:
    """Run ``hatools.cli.COMMAND`` on the command line of this process and exit."""
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTING)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main: Main = import_module(f"hatools.cli.{command}").main
    _leave(guarded(main, sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """End without taking the interpreter apart, which takes longer than many a command; the kernel frees it all."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError) as error:
        os.write(2, f"{os.path.basename(sys.argv[0])}: error: the output could not be written: {error}\n".encode())
        code = code or 1
    os._exit(code)


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
