"""The client outside the cluster: keeps requesting a page and notes who answered when. Run as a program.

    python outside_client.py ADDRESS PORT LOG

Each line of the log is ``UPTIME NAME`` or ``UPTIME -`` where nobody answered.
"""

import itertools
import socket
import sys
import time
from pathlib import Path

INTERVAL_S = 0.02
TIMEOUT_S = 0.25


def ask(address: str, port: int) -> str:
    """Return the first line of the page's body, ``-`` if there is no answer."""
    try:
        with socket.create_connection((address, port), timeout=TIMEOUT_S) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\nHost: test\r\n\r\n")
            data = b""
            while part := connection.recv(4096):
                data += part
    except OSError:
        return "-"
    head, _, body = data.partition(b"\r\n\r\n")
    return body.decode().strip() or "-" if b" 200 " in head.split(b"\r\n")[0] else "-"


def main(address: str, port: int, log: str) -> None:
    """Ask until killed."""
    with open(log, "a", buffering=1, encoding="ascii") as file:
        while True:
            name = ask(address, port)
            uptime = time.clock_gettime(time.CLOCK_BOOTTIME)
            file.write(f"{uptime:.3f} {name}\n")
            time.sleep(INTERVAL_S)


def answers(log: Path, since: float) -> list[tuple[float, str]]:
    """Return the answers after a moment."""
    found = []
    for line in log.read_text().splitlines():
        words = line.split()
        if len(words) == 2 and words[1] != "-" and float(words[0]) >= since:
            found.append((float(words[0]), words[1]))
    return found


def longest_gap(log: Path, since: float, until: float) -> float:
    """Return the longest time without an answer between two moments."""
    times = [since, *(time for time, _ in answers(log, since) if time <= until), until]
    return max(second - first for first, second in itertools.pairwise(times))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
