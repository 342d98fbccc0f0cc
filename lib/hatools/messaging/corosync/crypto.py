"""The envelope of every datagram: who sent it, that it is genuine, and that it is new. Pure.

::

    u16 magic  u8 version  u8 suite  u8 key id  u8 0  u32 sender  u64 epoch  u64 counter | body | tag

The head is authenticated with the body. An *epoch* is one life of a sender (it grows with every
start and is stored before use); keys are derived from the authkey for each sender and epoch, so a
counter is a nonce that never repeats. Within an epoch a window of counters recognises repeated
datagrams. A new epoch is accepted only after its sender answered a random challenge of ours: an old
recording cannot pass for a node that restarted, not even right after our own start. Datagrams that
arrive meanwhile wait for the answer.
"""

import hmac
import struct
from collections.abc import Callable
from enum import IntEnum
from hashlib import sha256
from typing import Protocol
from zlib import crc32

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

from hatools.values.errors import RemoteError
from hatools.values.records import dataclass, field

_MAGIC = 0xC171
_VERSION = 1
_HEAD = struct.Struct("!HBBBBIQQ")
_CHALLENGE = 0x80
_RESPONSE = 0x81
_PROOF = struct.Struct("!BI16s")
_WINDOW = 1024
_WINDOW_MASK = (1 << _WINDOW) - 1
_MAX_WAITING = 8
_CHALLENGE_INTERVAL = 0.02

OVERHEAD = _HEAD.size + 16 + 16 + 64
"""Most bytes an envelope adds: head, initialisation vector, padding, longest tag."""


class Suite(IntEnum):
    """How a datagram is protected; the number travels in the head."""

    PLAIN = 0
    HASH = 1
    CBC = 2
    GCM = 3


@dataclass(frozen=True, slots=True)
class Protection:
    """What corosync.conf asks for. ``cipher`` is aes128, aes192, aes256 or "", ``hash_name`` a hash or ""."""

    suite: Suite = Suite.GCM
    cipher: str = "aes256"
    hash_name: str = ""

    @property
    def is_encrypted(self) -> bool:
        """Say whether others can read along."""
        return self.suite in (Suite.GCM, Suite.CBC)

    @property
    def needs_key(self) -> bool:
        """Say whether an authkey is required."""
        return self.suite is not Suite.PLAIN


class _Box(Protocol):
    def seal(self, head: bytes, counter: int, body: bytes) -> bytes: ...

    def open(self, head: bytes, counter: int, data: bytes) -> bytes: ...


class _GcmBox:
    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, head: bytes, counter: int, body: bytes) -> bytes:
        return self._aead.encrypt(counter.to_bytes(12, "big"), body, head)

    def open(self, head: bytes, counter: int, data: bytes) -> bytes:
        try:
            return self._aead.decrypt(counter.to_bytes(12, "big"), data, head)
        except InvalidTag:
            raise RemoteError("wrong signature") from None


class _HashBox:
    __slots__ = ("_hash_name", "_key", "_size")

    def __init__(self, key: bytes, hash_name: str) -> None:
        self._key = key
        self._hash_name = hash_name
        self._size = hmac.new(key, b"", hash_name).digest_size

    def seal(self, head: bytes, counter: int, body: bytes) -> bytes:
        return body + hmac.digest(self._key, head + body, self._hash_name)

    def open(self, head: bytes, counter: int, data: bytes) -> bytes:
        body, tag = data[: -self._size], data[-self._size :]
        if not hmac.compare_digest(tag, hmac.digest(self._key, head + body, self._hash_name)):
            raise RemoteError("wrong signature")
        return body


class _CbcBox:
    __slots__ = ("_hash", "_key", "_randomness")

    def __init__(self, key: bytes, mac: _HashBox, randomness: Callable[[int], bytes]) -> None:
        self._key = key
        self._hash = mac
        self._randomness = randomness

    def seal(self, head: bytes, counter: int, body: bytes) -> bytes:
        vector = self._randomness(16)
        padder = PKCS7(128).padder()
        encryptor = Cipher(AES(self._key), CBC(vector)).encryptor()
        text = encryptor.update(padder.update(body) + padder.finalize()) + encryptor.finalize()
        return self._hash.seal(head, counter, vector + text)

    def open(self, head: bytes, counter: int, data: bytes) -> bytes:
        data = self._hash.open(head, counter, data)
        try:
            decryptor = Cipher(AES(self._key), CBC(data[:16])).decryptor()
            unpadder = PKCS7(128).unpadder()
            text = unpadder.update(decryptor.update(data[16:]) + decryptor.finalize())
            return text + unpadder.finalize()
        except ValueError:
            raise RemoteError("wrong padding") from None


class _PlainBox:
    """No protection, but a checksum that other clusters' and damaged datagrams do not have."""

    __slots__ = ("_start",)

    def __init__(self, key: bytes) -> None:
        self._start = crc32(key)

    def seal(self, head: bytes, counter: int, body: bytes) -> bytes:
        return body + crc32(head + body, self._start).to_bytes(4, "big")

    def open(self, head: bytes, counter: int, data: bytes) -> bytes:
        body = data[:-4]
        if crc32(head + body, self._start).to_bytes(4, "big") != data[-4:]:
            raise RemoteError("wrong checksum (damaged, or of a cluster with another name)")
        return body


class Keys:
    """A key file's content, and the boxes derived from it.

    Args:
        cluster_name: salt of the derivation; nodes of another cluster cannot be understood.
    """

    def __init__(
        self, secret: bytes, cluster_name: str, protection: Protection, randomness: Callable[[int], bytes]
    ) -> None:
        self.protection = protection
        self._salt = cluster_name.encode()
        self._randomness = randomness
        self._master = self._derive(secret or b"plain", b"hatools v1 master", 32)
        self.id = sha256(self._master).digest()[0]

    def box(self, sender: int, epoch: int) -> _Box:
        """Return what seals and opens one sender's datagrams in one of its lives."""
        who = struct.pack("!IQ", sender, epoch)
        protection = self.protection
        if protection.suite is Suite.PLAIN:
            return _PlainBox(self._master)
        if protection.suite is Suite.GCM:
            return _GcmBox(self._derive(self._master, b"gcm" + who, 32))
        mac = _HashBox(self._derive(self._master, b"mac" + who, 64), protection.hash_name)
        if protection.suite is Suite.HASH:
            return mac
        size = int(protection.cipher.removeprefix("aes")) // 8
        return _CbcBox(self._derive(self._master, b"cbc" + who, size), mac, self._randomness)

    def _derive(self, secret: bytes, info: bytes, size: int) -> bytes:
        return HKDF(SHA256(), size, self._salt, info).derive(secret)


@dataclass(frozen=True, slots=True)
class Opened:
    """Genuine, new packets of ``sender``, and datagrams to send because of them: (node, datagram)."""

    sender: int
    bodies: tuple[bytes, ...] = ()
    replies: tuple[tuple[int, bytes], ...] = ()


@dataclass(slots=True)
class _Life:
    """One epoch of a peer: which counters were seen."""

    epoch: int
    box: _Box
    newest: int = 0
    seen: int = 0

    def has_seen(self, counter: int) -> bool:
        """Say whether the counter was noted, without noting it."""
        behind = self.newest - counter
        return 0 <= behind < _WINDOW and bool(self.seen >> behind & 1)

    def is_new(self, counter: int) -> bool:
        """Note the counter; False if it was seen before or is too old to tell."""
        ahead = counter - self.newest
        if ahead > 0:
            self.seen = ((self.seen << ahead) | 1) & _WINDOW_MASK if ahead < _WINDOW else 1
            self.newest = counter
            return True
        if ahead <= -_WINDOW or self.seen >> -ahead & 1:
            return False
        self.seen |= 1 << -ahead
        return True


@dataclass(slots=True)
class _Candidate:
    life: _Life
    nonce: bytes
    asked_at: float
    waiting: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class _Peer:
    life: _Life | None = None
    candidate: _Candidate | None = None


class Envelope:
    """Seals what we send and opens what others sent.

    Args:
        keys: the first seals; all open (key rotation).
        epoch: larger than in any earlier life of this node.
        known: the nodes that may send to us.
        copies_expected: datagrams travel over several links, so a repeated one is nothing to complain about.
    """

    def __init__(
        self,
        me: int,
        keys: tuple[Keys, ...],
        epoch: int,
        known: frozenset[int],
        randomness: Callable[[int], bytes],
        *,
        copies_expected: bool = False,
    ) -> None:
        self.me = me
        self.copies_expected = copies_expected
        self.known = known
        self._keys = {key.id: key for key in reversed(keys)}
        self._first = keys[0]
        self._epoch = epoch
        self._box = self._first.box(me, epoch)
        self._counter = 0
        self._peers: dict[int, _Peer] = {}
        self._randomness = randomness

    def forget_others(self) -> None:
        """Forget every peer that is not known any more; should it come back, it proves itself anew."""
        for node in self._peers.keys() - self.known:
            del self._peers[node]

    def seal(self, body: bytes) -> bytes:
        """Return the datagram for a packet."""
        self._counter += 1
        first = self._first
        head = _HEAD.pack(_MAGIC, _VERSION, first.protection.suite, first.id, 0, self.me, self._epoch, self._counter)
        return head + self._box.seal(head, self._counter, body)

    def open(self, now: float, datagram: bytes) -> Opened:
        """Check a datagram and return what it holds, possibly nothing yet.

        Raises:
            RemoteError: it is not genuine, not for us or not new; the text says which.
        """
        head = datagram[: _HEAD.size]
        if len(head) < _HEAD.size:
            raise RemoteError("too short")
        magic, version, suite, key_id, _, sender, epoch, counter = _HEAD.unpack(head)
        if magic != _MAGIC or version != _VERSION:
            raise RemoteError("not a datagram of ours")
        if sender == self.me:
            raise RemoteError("it claims to come from our own node id")
        if sender not in self.known:
            raise RemoteError(f"node {sender} is not in the node list")
        peer = self._peers.setdefault(sender, _Peer())
        life = self._life_of(peer, sender, epoch, key_id, suite)
        if self.copies_expected and life.has_seen(counter):
            return Opened(sender)
        body = life.box.open(head, counter, datagram[_HEAD.size :])
        if not body:
            raise RemoteError("it is empty")
        if not life.is_new(counter):
            raise RemoteError("it was received before (replayed)")
        if body[0] in (_CHALLENGE, _RESPONSE):
            return self._on_proof(sender, peer, life, body)
        if life is peer.life:
            return Opened(sender, (body,))
        return self._challenge(now, sender, peer, life, body)

    def _life_of(self, peer: _Peer, sender: int, epoch: int, key_id: int, suite: int) -> _Life:
        if peer.life is not None:
            if peer.life.epoch == epoch:
                return peer.life
            if epoch < peer.life.epoch:
                raise RemoteError("it belongs to an earlier life of its sender (replayed)")
        if peer.candidate is not None:
            if peer.candidate.life.epoch == epoch:
                return peer.candidate.life
            if epoch < peer.candidate.life.epoch:
                raise RemoteError("it belongs to an earlier life of its sender (replayed)")
        keys = self._keys.get(key_id)
        if keys is None or keys.protection.suite != suite:
            raise RemoteError("it is protected with another key or cipher, or comes from a cluster with another name")
        return _Life(epoch, keys.box(sender, epoch))

    def _challenge(self, now: float, sender: int, peer: _Peer, life: _Life, body: bytes) -> Opened:
        candidate = peer.candidate
        if candidate is None or candidate.life is not life:
            candidate = peer.candidate = _Candidate(life, self._randomness(16), float("-inf"))
        if len(candidate.waiting) < _MAX_WAITING:
            candidate.waiting.append(body)
        if now - candidate.asked_at < _CHALLENGE_INTERVAL:
            return Opened(sender)
        candidate.asked_at = now
        return Opened(sender, (), ((sender, self.seal(_PROOF.pack(_CHALLENGE, sender, candidate.nonce))),))

    def _on_proof(self, sender: int, peer: _Peer, life: _Life, body: bytes) -> Opened:
        if len(body) != _PROOF.size:
            raise RemoteError("a challenge of wrong length")
        kind, target, nonce = _PROOF.unpack(body)
        if target != self.me:
            raise RemoteError("a challenge meant for another node")
        if kind == _CHALLENGE:
            return Opened(sender, (), ((sender, self.seal(_PROOF.pack(_RESPONSE, sender, nonce))),))
        candidate = peer.candidate
        if candidate is None or candidate.life is not life or not hmac.compare_digest(candidate.nonce, nonce):
            return Opened(sender)
        peer.life = life
        peer.candidate = None
        return Opened(sender, tuple(candidate.waiting))
