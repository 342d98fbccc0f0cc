"""``lxml.etree``, to be imported from here where it is needed. Pure.

lxml asks ``inspect`` for one function, which it calls for parser targets written in Python. We have none, and
importing ``inspect`` takes longer than lxml itself, so the first import of lxml finds a stand-in.
"""

import sys
from types import ModuleType

__all__ = ["etree"]


def _arguments_of(function: object) -> object:
    """Stand in for ``inspect.getfullargspec``."""
    import inspect

    return inspect.getfullargspec(function)


if "inspect" in sys.modules:
    from lxml import etree
else:
    sys.modules["inspect"] = ModuleType("inspect")
    sys.modules["inspect"].__dict__["getfullargspec"] = _arguments_of
    try:
        from lxml import etree
    finally:
        del sys.modules["inspect"]
