"""What happened on the ring so far, by Corosync's names of statistics. Pure."""

from hatools.values.records import dataclass, fields_of


@dataclass(slots=True)
class Counters:
    """Counts since the start, or since they were cleared; ``rx`` received, ``tx`` sent."""

    orf_token_tx: int = 0
    orf_token_rx: int = 0
    memb_merge_detect_tx: int = 0
    memb_merge_detect_rx: int = 0
    memb_join_tx: int = 0
    memb_join_rx: int = 0
    mcast_tx: int = 0
    mcast_retx: int = 0
    mcast_rx: int = 0
    memb_commit_token_tx: int = 0
    memb_commit_token_rx: int = 0
    token_hold_cancel_tx: int = 0
    token_hold_cancel_rx: int = 0
    operational_entered: int = 0
    operational_token_lost: int = 0
    gather_entered: int = 0
    gather_token_lost: int = 0
    commit_entered: int = 0
    commit_token_lost: int = 0
    recovery_entered: int = 0
    recovery_token_lost: int = 0
    consensus_timeouts: int = 0

    def clear(self) -> None:
        """Begin to count anew."""
        for entry in fields_of(type(self)):
            setattr(self, entry.name, 0)

    def items(self) -> dict[str, int]:
        """Return all counts by name."""
        return {entry.name: getattr(self, entry.name) for entry in fields_of(type(self))}
