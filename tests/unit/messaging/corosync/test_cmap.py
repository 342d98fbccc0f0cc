"""The map of keys: types as Corosync stores them, and what may be set by hand."""

import pytest

from hatools.messaging.corosync.cmap import Entry, UserKeys, type_of
from hatools.values.errors import NoSuchObjectError, PermissionRefusedError


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [("totem.token", "1000", "u32"), ("totem.cluster_name", "7", "str"), ("nodelist.node.0.name", "12", "str"),
     ("nodelist.node.0.ring0_addr", "10.0.0.1", "str"), ("quorum.two_node", "1", "u8"),
     ("runtime.members.1.config_version", "3", "u64"), ("runtime.members.1.join_count", "3", "u32"),
     ("stats.srp.orf_token_rx", "7", "u64"), ("stats.knet.node1.link0.connected", "1", "u8"),
     ("uidgid.config.uid.5", "1", "u8"), ("totem.interface.0.mcastport", "5405", "u16"),
     ("logging.debug", "on", "str")],
)  # fmt: skip
def test_keys_have_the_types_of_the_original(key: str, value: str, kind: str) -> None:
    assert type_of(key, value) == kind


def test_free_keys_are_kept_and_timers_change_the_configuration() -> None:
    keys = UserKeys()

    assert not keys.set("mine.a", Entry("u8", "1"))
    assert keys.set("totem.token", Entry("u32", "1500"))

    assert keys.overrides == {"totem.token": "1500"}
    assert keys.delete("totem.token", known=True)
    assert not keys.delete("mine.a", known=True)


@pytest.mark.parametrize(
    "key", ["totem.cluster_name", "runtime.x", "stats.x", "nodelist.node.0.name", "quorum.wait_for_all"]
)
def test_what_the_cluster_is_made_of_cannot_be_set(key: str) -> None:
    with pytest.raises(PermissionRefusedError):
        UserKeys().set(key, Entry("str", "x"))


def test_only_what_was_set_by_hand_can_be_deleted() -> None:
    with pytest.raises(PermissionRefusedError):
        UserKeys().delete("totem.version", known=True)
    with pytest.raises(NoSuchObjectError):
        UserKeys().delete("nope", known=False)
