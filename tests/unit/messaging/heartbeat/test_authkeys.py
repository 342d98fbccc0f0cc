import pytest

from hatools.messaging.heartbeat.authkeys import KeyRing, Method, check_mode, crc32, read_authkeys
from hatools.values.errors import ConfigError, RemoteError

IN_THE_WILD = "auth 1\n1 sha1 (stdin)= df6973cd744d4de118b85c72eee3625\n"


def warnings_of(text: str) -> str:
    return "\n".join(read_authkeys(text).warnings)


def test_several_keys_are_known_and_one_signs() -> None:
    ring = read_authkeys("# keys\nauth 2\n1 sha1 oldsecret\n2 md5 newsecret\n3 crc\n")

    assert (ring.active.index, ring.active.method) == (2, Method.MD5)
    assert sorted(ring.keys) == [1, 2, 3]
    assert not ring.is_authenticated


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 sha1 x\nauth 1\n", "line 1: key 1 stands before 'auth N'"),
        ("auth 2\n1 sha1 secretsecret\n", "auth 2: there is no such key"),
        ("auth 1\n1 crc foo\n", "line 2: key 1: the method crc has no key"),
        ("auth 1\n1 sha1\n", "line 2: key 1: the method sha1 needs a key"),
        ("auth 1\n1 sha256 abc\n", "'sha256' is no method"),
        ("auth 99\n", "'auth' needs the number of a key"),
        ("auth 1\n99 sha1 x\n", "'99' is no key number"),
        ("auth 1\nauth 1\n1 crc\n", "'auth' is there twice"),
        ("auth 1\n1 crc\n1 crc\n", "key 1 is there twice"),
        ("", "there is no line 'auth N'"),
    ],
)
def test_what_the_original_does_not_start_with_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        read_authkeys(text)


def test_the_label_of_openssl_is_the_key_as_in_the_original_and_warned_about() -> None:
    ring = read_authkeys(IN_THE_WILD)

    assert ring.active.secret == b"(stdin)="
    (warning,) = ring.warnings
    assert "line 2" in warning
    assert "which everybody knows" in warning
    assert "crm cluster keygen heartbeat" in warning


def test_crc_and_guessable_keys_are_warned_about() -> None:
    assert "crc is no authentication" in warnings_of("auth 1\n1 crc\n")
    assert "short and can be guessed" in warnings_of("auth 1\n1 sha1 abc\n")
    assert "behind the blank is not read" in warnings_of("auth 1\n1 sha1 two words\n")
    assert not read_authkeys("auth 1\n1 sha1 0123456789abcdef\n").warnings


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o100600])
def test_a_key_file_of_its_owner_alone_is_accepted(mode: int) -> None:
    check_mode(mode, "authkeys")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o610, 0o660])
def test_a_key_file_that_others_may_use_is_refused(mode: int) -> None:
    with pytest.raises(ConfigError, match="0600 or 0400"):
        check_mode(mode, "authkeys")


def slow_crc32(data: bytes) -> int:
    """Bit by bit, as the polynomial says."""
    value = 0
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = ((value << 1) ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
    return ~value & 0xFFFFFFFF


@pytest.mark.parametrize("data", [b"", b"a", b"123456789", bytes(range(256)) * 3])
def test_the_checksum_is_that_of_the_polynomial(data: bytes) -> None:
    assert crc32(data) == slow_crc32(data)


def ring(text: str = "auth 1\n1 sha1 secretsecret\n2 md5 othersecret\n") -> KeyRing:
    return read_authkeys(text)


def test_a_signature_of_any_known_key_is_right_and_every_other_wrong() -> None:
    second = ring("auth 2\n1 sha1 secretsecret\n2 md5 othersecret\n")
    ring().verify(second.sign(b"text"), b"text")

    for signature in (second.sign(b"text2"), "1 0000", "7 0000", "x", "", "1", second.sign(b"text").upper()):
        with pytest.raises(RemoteError):
            ring().verify(signature, b"text")
