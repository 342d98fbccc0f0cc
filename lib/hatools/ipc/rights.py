"""What the process at the other end of a socket may do, by its kernel-checked credentials. Pure."""

from enum import IntEnum

from hatools.values.records import dataclass


class Rights(IntEnum):
    """Ordered: each level may do all that the ones below may."""

    NONE = 0
    MEMBER = 1
    """A member of haclient: what Pacemaker lets them do, no execution."""
    FULL = 2
    """root, hacluster, or the owner of a lab."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Process, user and groups of a peer (SO_PEERCRED and the user database)."""

    pid: int
    uid: int
    gid: int
    groups: frozenset[int]


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Who counts as what on this node; ids are None where the account does not exist."""

    owner: int
    cluster_user: int | None
    cluster_group: int | None
    other_users: frozenset[int] = frozenset()
    other_groups: frozenset[int] = frozenset()
    """Who else may do everything (``uidgid`` in corosync.conf)."""

    @property
    def is_open(self) -> bool:
        """Say whether others than the cluster's own accounts may connect."""
        return bool(self.other_users or self.other_groups)

    def rights(self, peer: Credentials) -> Rights:
        """Grade a peer."""
        if peer.uid in (0, self.owner) or (self.cluster_user is not None and peer.uid == self.cluster_user):
            return Rights.FULL
        if peer.uid in self.other_users or self.other_groups & ({peer.gid} | peer.groups):
            return Rights.FULL
        if self.cluster_group is not None and (peer.gid == self.cluster_group or self.cluster_group in peer.groups):
            return Rights.MEMBER
        return Rights.NONE
