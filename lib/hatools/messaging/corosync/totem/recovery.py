"""RECOVERY: handing on the messages of the old ring until no survivor lacks any. Pure.

Survivors of one old ring send what the others lack, wrapped in messages of the new ring. The token's
flag ``recovering`` stays up while anybody still sends. When it was down for two turns the number to be
reached is fixed, and two more turns with everybody there end the state.
"""

from collections import deque

from hatools.messaging.corosync.totem.membership import messages_to_recover, survivors_of
from hatools.messaging.corosync.totem.packets import Commit, Message, Token, unwrap_message, wrap_message
from hatools.messaging.corosync.totem.ring import FlowLimits, Ring, Visit

_QUIET_TURNS = 2
_SETTLED_TURNS = 2


class Recovery:
    """One node's part in recovering before the ring of ``commit`` begins; a source of wrapped messages.

    Args:
        old: our last operational ring, None if there was none.
    """

    def __init__(self, commit: Commit, me: int, old: Ring | None, limits: FlowLimits) -> None:
        self.ring = Ring(commit.ring, tuple(entry.node for entry in commit.entries), me, limits)
        self.survivors = survivors_of(commit.entries, me)
        self._old = old
        self._queue = deque(messages_to_recover(commit.entries, me, old) if old else [])
        self._quiet_turns = 0
        self._settled_turns = 0
        self._install = 0
        self._raised_flag = False

    @property
    def is_complete(self) -> bool:
        """Say whether the new ring may begin."""
        return self._settled_turns >= _SETTLED_TURNS

    def backlog(self) -> int:
        """Return how many old messages we still have to hand on."""
        return len(self._queue)

    def pull(self) -> bytes | None:
        """Return the next one, wrapped."""
        return wrap_message(self._queue.popleft()) if self._queue else None

    def take_token(self, token: Token) -> Visit:
        """Answer the token and watch how far everybody is."""
        visit = self.ring.take_token(token, self, wrapped=True)
        if self._queue or visit.created:
            token.recovering = True
            self._raised_flag = True
        elif self._raised_flag:
            token.recovering = False
            self._raised_flag = False
        self._quiet_turns = 0 if token.recovering else self._quiet_turns + 1
        if self._quiet_turns == _QUIET_TURNS:
            self._install = token.sequence
        reached = min(token.aru, self.ring.aru) >= self._install
        self._settled_turns = self._settled_turns + 1 if self._quiet_turns > _QUIET_TURNS and reached else 0
        return visit

    def take_wrapped(self, message: Message) -> None:
        """Add a message that a survivor handed on to our old ring."""
        inner = unwrap_message(message.payload)
        if self._old is None or inner.ring != self._old.ring_id:
            return
        self._old.store(inner)
        if any(waiting.sequence == inner.sequence for waiting in self._queue):
            self._queue = deque(waiting for waiting in self._queue if waiting.sequence != inner.sequence)
