"""The codec: what is sent is what is received, and garbage is refused with one kind of error."""

from importlib import import_module
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.messages import cib, crmd, lrm, messaging
from hatools.values.errors import RemoteError
from hatools.values.records import is_record

MODULES = ("session", "messaging", "cib", "lrm", "stonith", "attrd", "crmd", "pengine", "pacemakerd")
st.register_type_strategy(float, st.floats(allow_nan=False))

CLASSES = [
    item
    for name in MODULES
    for item in vars(import_module(f"hatools.ipc.messages.{name}")).values()
    if is_record(item) and isinstance(item, type)
]

for _cls in CLASSES:
    st.register_type_strategy(
        _cls, lambda cls: st.builds(cls, **{name: st.from_type(hint) for name, hint in get_type_hints(cls).items()})
    )


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}")
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_every_message_survives_the_wire(cls: type, data: st.DataObject) -> None:
    message = data.draw(st.from_type(cls))
    envelope = Envelope(Kind.REQUEST, 7, message)
    assert decode(encode(envelope)) == envelope


@given(st.binary(max_size=300))
def test_garbage_is_refused_as_a_protocol_fault(garbage: bytes) -> None:
    with pytest.raises(RemoteError):
        decode(garbage)


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_message_is_read_as_some_message_or_refused(position: int, byte: int) -> None:
    payload = bytearray(encode(Envelope(Kind.EVENT, 0, messaging.Delivered("cib", 1, 2, b"payload", 3))))
    payload[position % len(payload)] = byte
    try:
        decode(bytes(payload))
    except RemoteError:
        return


def test_a_field_of_the_wrong_type_is_refused() -> None:
    wrong = encode(Envelope(Kind.REQUEST, 1, lrm.Accepted(5))).replace(b'"call_id":5', b'"call_id":"5"')
    size = len(wrong) - len(encode(Envelope(Kind.REQUEST, 1, lrm.Accepted(5))))
    length = int.from_bytes(wrong[2:6], "big") + size
    with pytest.raises(RemoteError, match="expected"):
        decode(wrong[:2] + length.to_bytes(4, "big") + wrong[6:])


def test_only_classes_of_the_messages_package_can_be_named() -> None:
    payload = encode(Envelope(Kind.REQUEST, 1, crmd.ListNodes()))
    with pytest.raises(RemoteError, match="unknown message"):
        decode(payload.replace(b"crmd.ListNodes", b"crmd.dataclass"))


def test_large_binary_fields_travel_unescaped() -> None:
    blob = bytes(range(256)) * 4096
    assert len(encode(Envelope(Kind.REQUEST, 1, cib.Change(cib.CibOperation.REPLACE, xml=blob)))) < len(blob) + 500
