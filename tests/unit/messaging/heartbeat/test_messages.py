"""The codec, against datagrams of real heartbeat 3.0.6 daemons (``samples.json``) and against garbage."""

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest

from hatools.messaging.heartbeat.authkeys import read_authkeys
from hatools.messaging.heartbeat.messages import (
    MAX_DEPTH,
    Field,
    FieldType,
    Message,
    decode,
    encode,
    encode_classic,
    text_message,
)
from hatools.values.errors import RemoteError

SAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "samples.json").read_text())
KEYS = "auth {}\n1 sha1 TestKeyForSamples\n2 md5 AnotherMd5Key\n3 crc\n"
RING = read_authkeys(KEYS.format(1))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_a_real_datagram_is_read_and_written_byte_for_byte(sample: dict[str, Any]) -> None:
    raw = base64.b64decode(sample["raw_b64"])

    message = decode(raw, RING)

    shown = [[f.name, int(f.type), f.value if isinstance(f.value, str) else f.value.hex()] for f in message.fields]  # type: ignore[union-attr]
    if sample["outer_auth"]:
        assert shown == sample["fields"]
        keys = read_authkeys(KEYS.format(sample["outer_auth"].split()[0]))
        body = Message(tuple(field for field in message.fields if field.name != "auth"))
        assert encode(body, keys, inner=sample["inner_auth"]) == raw
    else:
        assert shown == [field for field in sample["fields"] if field[0] != "auth"]


@pytest.mark.parametrize("index", [1, 2, 3])
@pytest.mark.parametrize("inner", [True, False])
def test_what_is_encoded_is_decoded_again(index: int, inner: bool) -> None:
    keys = read_authkeys(KEYS.format(index))
    inside = Message((Field("deep", "x"), Field("raw", b"\0,:%%%\n###\n", FieldType.BINARY)))
    message = Message(
        (
            Field("t", "test"),
            Field("line", "one\ntwo=3"),
            Field("odd", "\udcff\xe4"),
            Field("raw", bytes(range(256)), FieldType.BINARY),
            Field("list", b"1:a,2:bc,", FieldType.LIST),
            Field("inside", inside, FieldType.STRUCT),
            Field("packed", b"zzz", FieldType.COMPRESSED),
        )
    )

    assert decode(encode(message, keys, inner=inner), RING) == message


def test_the_classic_form_is_decoded_again() -> None:
    message = Message(
        (Field("t", "status"), Field("info", "two\nlines"), Field("srcuuid", b"\x00\xff" * 8, FieldType.BINARY))
    )

    datagram = encode_classic(message, RING)

    assert datagram.startswith(b">>>\nt=status\n")
    assert decode(datagram, RING) == message


def test_a_numbers_text_is_checked() -> None:
    message = text_message(seq="1f", bad="0x1f", long="1" * 21, negative="-1")

    assert message.number("seq", 16) == 31
    assert message.number("nothing", 16) is None
    for name in ("bad", "long", "negative"):
        with pytest.raises(RemoteError):
            message.number(name, 16)


def signed(frame: bytes) -> bytes:
    signature = RING.sign(frame).encode()
    return frame + b"%d:%s," % (len(signature), signature)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"###",
        b"###\n",
        b"###\n%%%\n",
        b"hello",
        b">>>\nt=status\n<<<\n",
        b">>>\nt=status\nauth=1 0\nauth=1 0\n<<<\n",
        b">>>\nt=status\nauth=1 0\n",
        signed(b"###\n5:(9)t=,%%%\n"),
        signed(b"###\n3:t=x,%%%\n"),
        signed(b"###\n7:(0)nope,%%%\n"),
        signed(b"###\n99:(0)t=x,%%%\n"),
        signed(b"###\n6:(0)t=xx%%%\n"),
        signed(b"###\n-1:(0)t=x,%%%\n"),
        signed(b"###\n9:(2)s=none,%%%\n"),
        signed(b"###\n6:(0)t=x,%%%\n") + b"more",
        b"###\n" + b"6:(0)t=x," * 8000,
        b"x" * 70_000,
    ],
)
def test_what_is_not_well_formed_is_refused(datagram: bytes) -> None:
    with pytest.raises(RemoteError):
        decode(datagram, RING)


def test_messages_in_messages_have_an_end() -> None:
    def nested(depth: int) -> Message:
        message = text_message(t="x")
        for _ in range(depth):
            message = Message((Field("s", message, FieldType.STRUCT),))
        return message

    assert decode(encode(nested(MAX_DEPTH), RING, inner=False), RING) == nested(MAX_DEPTH)
    with pytest.raises(RemoteError, match="nested too deeply"):
        decode(encode(nested(MAX_DEPTH + 1), RING, inner=False), RING)


def test_a_changed_bit_anywhere_is_noticed() -> None:
    raw = base64.b64decode(SAMPLES[0]["raw_b64"])

    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 0x01]) + raw[place + 1 :]
        with pytest.raises(RemoteError):
            decode(changed, RING)


def test_garbage_is_refused_and_never_more_than_that() -> None:
    dice = random.Random(8)
    originals = [base64.b64decode(sample["raw_b64"]) for sample in SAMPLES]
    for _ in range(20_000):
        data = bytearray(dice.choice(originals))
        for _ in range(dice.randint(1, 4)):
            data += b"" if data else b"#"
            match dice.randrange(4):
                case 0:
                    data[dice.randrange(len(data))] = dice.randrange(256)
                case 1:
                    del data[dice.randrange(len(data)) :]
                    data += b"%%%\n"
                case 2:
                    place = dice.randrange(len(data))
                    data[place:place] = dice.choice([b"###\n", b"%%%\n", b"9999:", b"(2)", b",", dice.randbytes(5)])
                case 3:
                    start = dice.randrange(len(data))
                    del data[start : start + dice.randrange(20)]
        frame = bytes(data)
        for datagram in (frame, signed(frame)):
            try:
                message = decode(datagram, RING)
            except RemoteError:
                continue
            assert isinstance(message, Message)
