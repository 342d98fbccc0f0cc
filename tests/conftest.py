"""What every test starts from."""

import os
import signal

from hypothesis import settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background deaf to interrupts, and programs under test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run, so that a change is judged by what it changes; HATOOLS_EXAMPLES looks for new ones.
_new = int(os.environ.get("HATOOLS_EXAMPLES", "0"))
settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("new", max_examples=_new or 100, deadline=None)
settings.load_profile("new" if _new else "same")
