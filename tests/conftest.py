"""What every test starts from."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background deaf to interrupts, and programs under test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
