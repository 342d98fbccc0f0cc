"""What an agreed content has become since: its steps, what sums them up, and how far they are on our disk. Pure."""

import hashlib
from collections import deque

REMEMBERED_STEPS = 4096


class Steps:
    """The changes since a round of agreement, numbered from 1; ``number`` is the last one."""

    def __init__(self) -> None:
        self.number = 0
        self._chain = ""
        self._chains: dict[int, str] = {}
        self._authors: deque[tuple[int, int]] = deque()
        self._last_token = 0
        self._tokens: deque[tuple[int, int]] = deque()
        """What is on its way to the disk: tokens, which grow for ever, with their steps."""

    def begin(self, digest: str) -> None:
        """Count anew, from a content with this digest."""
        self.number = 0
        self._chain = digest
        self._chains = {0: digest}
        self._authors.clear()
        self._tokens.clear()

    def forget_chains(self) -> None:
        """Compare with nobody until the next beginning."""
        self._chains.clear()

    def add(self, patch: str) -> None:
        """Count a change; members that make the same of the same writes have the same chain."""
        self.number += 1
        self._chain = hashlib.sha256(f"{self._chain}{patch}".encode("utf-8", "surrogateescape")).hexdigest()
        self._chains[self.number] = self._chain
        self._chains.pop(self.number - REMEMBERED_STEPS, None)

    def chain_at(self, step: int) -> str:
        """Return what sums up the changes up to a step, empty if that is no longer (or not yet) known."""
        return self._chains.get(step, "")

    # -- the disk

    def to_disk(self) -> int:
        """Note that the last step is to be written; return the token by which its end is told."""
        self._last_token += 1
        self._tokens.append((self._last_token, self.number))
        return self._last_token

    def on_disk(self, token: int) -> bool:
        """Note that everything up to a token is on disk; False if that was known or is of an earlier round."""
        before = len(self._tokens)
        while self._tokens and self._tokens[0][0] <= token:
            self._tokens.popleft()
        return len(self._tokens) < before

    @property
    def stored(self) -> int:
        """Return the step up to which all is on disk: one that needs no disk counts with the one before it."""
        return self._tokens[0][1] - 1 if self._tokens else self.number

    # -- who waits for it

    def owe(self, author: int) -> None:
        """Note that a node wants to know when the last step is on our disk."""
        self._authors.append((self.number, author))

    def authors_up_to(self, step: int) -> list[int]:
        """Return the nodes that wait for a step or an earlier one, each once; they wait no more."""
        authors: dict[int, None] = {}
        while self._authors and self._authors[0][0] <= step:
            authors[self._authors.popleft()[1]] = None
        return list(authors)
