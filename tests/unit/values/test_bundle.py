"""Many messages as one."""

import random

import pytest

from hatools.values.bundle import count_bundle, pack_bundle, unpack_bundle
from hatools.values.errors import RemoteError


@pytest.mark.parametrize("payloads", [[b""], [b"a", b"", b"ccc"], [bytes(1000)] * 50])
def test_what_was_packed_is_unpacked(payloads: list[bytes]) -> None:
    tags = [number * 3 for number in range(len(payloads))]

    bundle = pack_bundle(payloads, tags)

    assert unpack_bundle(bundle) == (payloads, tuple(tags))
    assert count_bundle(bundle) == len(payloads)


@pytest.mark.parametrize(
    "bundle",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        pack_bundle([b"abc"], [1])[:-1],
        pack_bundle([b"abc"], [1]) + b"x",
    ],
)
def test_what_is_no_bundle_is_refused(bundle: bytes) -> None:
    with pytest.raises(RemoteError, match="a bundle of messages"):
        unpack_bundle(bundle)
    with pytest.raises(RemoteError, match="a bundle of messages"):
        count_bundle(bundle)


def test_garbage_is_refused_or_read() -> None:
    generator = random.Random(4)
    good = pack_bundle([b"abc", b"de"], [1, 2])
    for _ in range(500):
        spoiled = bytearray(good)
        spoiled[generator.randrange(len(good))] = generator.randrange(256)
        try:
            assert len(unpack_bundle(bytes(spoiled))[0]) == count_bundle(bytes(spoiled))
        except RemoteError as error:
            assert "bundle" in str(error)
