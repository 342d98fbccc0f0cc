"""Where every command starts, and the one place where errors become messages and exit codes. I/O.

Every command is a module of this package with ``main(argv) -> exit status`` (``argv`` without the program's
name); ``bin/`` scripts and the installed commands call :func:`run`. They start Python without its ``site`` module
(``-S``), which looks through folders that few commands need: they are added when a module is not found without them.
"""

import gc
import os
import sys
from _signal import (  # type: ignore[import-not-found]  # what the module ``signal`` wraps in enumerations
    SIG_DFL,
    SIGPIPE,
    signal,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from typing import NoReturn

    Main = Callable[[list[str]], int]

_OBJECTS_BEFORE_COLLECTING = 100_000
"""Most commands end before they made so many; looking for garbage meanwhile would take a tenth of their time."""


_NOWHERE = ("org",)
"""Modules of other Pythons that the standard library tries to import."""


def run(command: str) -> "NoReturn":
    """Run ``hatools.cli.COMMAND`` on the command line of this process and exit."""
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTING)
    signal(SIGPIPE, SIG_DFL)
    if sys.flags.no_site and "site" not in sys.modules:
        sys.meta_path.append(_InstalledPackages())
    code = _quickly(command, sys.argv[1:])
    if code is None:
        module = __import__(f"hatools.cli.{command}", fromlist=["main"])
        if getattr(module, "KEEPS_EVERYTHING", False):
            gc.disable()
        main: Main = module.main
        code = guarded(main, sys.argv[1:])
    _leave(code)


class _InstalledPackages:
    """The last to be asked for a module: adds the folders of installed packages, and has everybody asked again."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        if path is not None or name in sys.stdlib_module_names or name in _NOWHERE:
            return None
        sys.meta_path.remove(self)
        import site
        from importlib.machinery import PathFinder

        site.main()
        return PathFinder.find_spec(name)


def _quickly(command: str, argv: list[str]) -> int | None:
    if command not in ("attrd_updater", "crm_attribute", "cibadmin"):
        return None
    from hatools.cli.quick import QUICK

    return QUICK[command](argv, os.environ)


def _leave(code: int) -> "NoReturn":
    """End without taking the interpreter apart, which takes longer than many a command; the kernel frees it all."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError) as error:
        os.write(2, f"{os.path.basename(sys.argv[0])}: error: the output could not be written: {error}\n".encode())
        code = code or 1
    os._exit(code)


def guarded(main: "Main", argv: list[str]) -> int:
    """Call a command; an error it does not answer itself is printed as ``PROGRAM: error: TEXT``."""
    from hatools.values.errors import HatoolsError

    try:
        return main(argv)
    except HatoolsError as error:
        print(f"{os.path.basename(sys.argv[0])}: error: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130  # as by SIGINT
