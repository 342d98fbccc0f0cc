"""What a test needs from the machine, and how it says that it is not there.

With ``HATOOLS_REQUIRE_ALL=1`` (continuous integration) a missing need is a failure, otherwise a skip.
"""

import os
import shutil
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip the test with a reason, or fail it where everything must be there."""
    if os.environ.get("HATOOLS_REQUIRE_ALL") == "1":
        pytest.fail(f"required here: {reason}")
    pytest.skip(reason)


def program(name: str, package: str = "") -> str:
    """Return the path of a program that the test runs against."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        missing(f"the program {name} is not installed" + (f" (Debian package {package})" if package else ""))
    return path


def root() -> None:
    """Need root: namespaces, mounts, privileged ports."""
    if os.geteuid() != 0:
        missing("only root may do this")


def file(path: str, package: str = "") -> str:
    """Return a file of the system that the test needs."""
    if not os.path.exists(path):
        missing(f"{path} does not exist" + (f" (Debian package {package})" if package else ""))
    return path
