"""The keys of ``authkeys`` and the signatures made with them. Pure.

The file is read as the original reads it: once, from top to bottom, ``auth N`` before the line of key N.
A datagram names the key it was signed with, so several keys may be known while one is replaced by the next.
"""

import hmac
import zlib
from enum import StrEnum

from hatools.values.errors import ConfigError, RemoteError
from hatools.values.records import dataclass

MAX_KEYS = 16
OPENSSL_LABEL = "(stdin)="
"""What ``openssl dgst`` writes before the digest of its standard input."""
MAKE_A_KEY = "crm cluster keygen heartbeat"
_MIRRORED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_SHORTEST_SECRET = 8


class Method(StrEnum):
    """How a key signs."""

    CRC = "crc"
    MD5 = "md5"
    SHA1 = "sha1"


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the file."""

    index: int
    method: Method
    secret: bytes

    def sign(self, data: bytes) -> str:
        """Return the signature of the data as the wire spells it."""
        if self.method is Method.CRC:
            return f"{crc32(data):x}"
        return hmac.digest(self.secret, data, self.method.value).hex()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys, and the one that signs what we send. ``warnings`` are worth telling at every start."""

    active: Key
    keys: dict[int, Key]
    warnings: tuple[str, ...] = ()

    @property
    def is_authenticated(self) -> bool:
        """Say whether a stranger is kept out: not if any key accepted is a mere checksum."""
        return all(key.method is not Method.CRC for key in self.keys.values())

    def sign(self, data: bytes) -> str:
        """Return ``INDEX SIGNATURE`` made with the active key."""
        return f"{self.active.index} {self.active.sign(data)}"

    def verify(self, signature: str, data: bytes) -> None:
        """Check a signature.

        Raises:
            RemoteError: it is none of ours, or not of this data.
        """
        index, _, value = signature.partition(" ")
        key = self.keys.get(int(index)) if index.isascii() and index.isdigit() and len(index) <= 2 else None
        if key is None:
            raise RemoteError(f"it is signed with key {index[:8]!r}, which authkeys does not have")
        if not hmac.compare_digest(key.sign(data).encode(), value.strip().encode()):
            raise RemoteError("wrong signature")


def crc32(data: bytes) -> int:
    """Return Heartbeat's checksum: polynomial 0x04C11DB7, highest bit first, from zero, complemented.

    zlib counts from the lowest bit; with bits mirrored on the way in and out it is the same.
    """
    mirrored = zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF)
    return int(f"{mirrored:032b}"[::-1], 2)


def check_mode(mode: int, path: str) -> None:
    """Refuse a key file that others than its owner may use.

    Args:
        mode: of the file, as ``stat`` gives it.

    Raises:
        ConfigError: group or others have a right.
    """
    if mode & 0o077:
        raise ConfigError(f"{path}: bad permissions {mode & 0o777:04o}: a key file must be 0600 or 0400")


def read_authkeys(text: str, path: str = "authkeys") -> KeyRing:
    """Read the text of an authkeys file.

    Raises:
        ConfigError: it cannot be used; every reason is listed with its line.
    """
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            reader.take(number, words)
    active = reader.keys.get(reader.wanted) if reader.wanted is not None else None
    if active is None and not reader.errors:
        reader.errors.append(
            (0, "there is no line 'auth N'" if reader.wanted is None else f"auth {reader.wanted}: there is no such key")
        )
    if reader.errors or active is None:
        raise ConfigError("\n".join(f"{path}: {_placed(*error)}" for error in reader.errors))
    warnings = tuple(f"{path}: {_placed(*warning)}" for warning in reader.warnings)
    return KeyRing(active, reader.keys, warnings)


def _placed(line: int, text: str) -> str:
    return f"line {line}: {text}" if line else text


class _Reader:
    def __init__(self) -> None:
        self.wanted: int | None = None
        self.keys: dict[int, Key] = {}
        self.errors: list[tuple[int, str]] = []
        self.warnings: list[tuple[int, str]] = []

    def take(self, line: int, words: list[str]) -> None:
        """Read one line of the file."""
        if words[0] == "auth":
            self._take_auth(line, words)
            return
        index = _index(words[0])
        if index is None:
            self.errors.append((line, f"{words[0]!r} is no key number (0 to {MAX_KEYS - 1}) and not 'auth'"))
        elif self.wanted is None:
            self.errors.append((line, f"key {index} stands before 'auth N', where Heartbeat does not read it"))
        elif index in self.keys:
            self.errors.append((line, f"key {index} is there twice"))
        else:
            self._take_key(line, index, words[1:])

    def _take_auth(self, line: int, words: list[str]) -> None:
        index = _index(words[1]) if len(words) > 1 else None
        if index is None:
            self.errors.append((line, f"'auth' needs the number of a key, 0 to {MAX_KEYS - 1}"))
        elif self.wanted is not None:
            self.errors.append((line, "'auth' is there twice"))
        else:
            self.wanted = index

    def _take_key(self, line: int, index: int, words: list[str]) -> None:
        name, secret = (words[0] if words else ""), words[1:]
        if name not in list(Method):
            listed = ", ".join(Method)
            self.errors.append((line, f"key {index}: {name!r} is no method of signing; there are {listed}"))
            return
        method = Method(name)
        if method is Method.CRC:
            if secret:
                self.errors.append((line, f"key {index}: the method crc has no key"))
                return
            self.warnings.append(
                (line, "crc is no authentication: whoever reaches the network can speak for a node; use sha1")
            )
        elif not secret:
            self.errors.append((line, f"key {index}: the method {method} needs a key"))
            return
        else:
            self._judge_secret(line, index, secret)
        self.keys[index] = Key(index, method, secret[0].encode("utf-8", "surrogateescape") if secret else b"")

    def _judge_secret(self, line: int, index: int, secret: list[str]) -> None:
        """Warn of keys that keep nobody out. As in the original the key is one word, the rest is not read."""
        if secret[0] == OPENSSL_LABEL:
            self.warnings.append(
                (
                    line,
                    f"the key is the word {OPENSSL_LABEL!r}, the label of openssl's output, which everybody knows"
                    f"{'; what follows it is not part of the key' if len(secret) > 1 else ''}. "
                    f"Make a good one with: {MAKE_A_KEY}",
                )
            )
        elif len(secret) > 1:
            self.warnings.append((line, f"key {index} is {secret[0][:2]}...: what stands behind the blank is not read"))
        elif len(secret[0]) < _SHORTEST_SECRET:
            self.warnings.append((line, f"key {index} is short and can be guessed. Make one with: {MAKE_A_KEY}"))


def _index(word: str) -> int | None:
    if word.isascii() and word.isdigit() and len(word) <= 3 and int(word) < MAX_KEYS:
        return int(word)
    return None
