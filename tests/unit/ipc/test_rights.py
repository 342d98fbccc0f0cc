"""Who may do what on a socket, by the credentials of the process at its other end."""

import pytest

from hatools.ipc.rights import AccessPolicy, Credentials, Rights

POLICY = AccessPolicy(
    owner=500, cluster_user=90, cluster_group=91, other_users=frozenset({7}), other_groups=frozenset({8})
)


@pytest.mark.parametrize(
    ("uid", "gid", "groups", "rights"),
    [(0, 0, (), Rights.FULL), (500, 5, (), Rights.FULL), (90, 91, (), Rights.FULL), (6, 91, (), Rights.MEMBER),
     (6, 6, (91,), Rights.MEMBER), (6, 6, (), Rights.NONE), (7, 6, (), Rights.FULL), (6, 8, (), Rights.FULL),
     (6, 6, (8, 91), Rights.FULL)],
)  # fmt: skip
def test_a_peer_is_graded_by_its_user_and_groups(uid: int, gid: int, groups: tuple[int, ...], rights: Rights) -> None:
    assert POLICY.rights(Credentials(1, uid, gid, frozenset(groups))) is rights


def test_only_a_policy_that_names_others_opens_the_socket_to_others() -> None:
    assert POLICY.is_open
    assert not AccessPolicy(500, 90, 91).is_open
