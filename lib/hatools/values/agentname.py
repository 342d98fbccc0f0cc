"""Names of agents: ``ocf:heartbeat:IPaddr2``, ``systemd:nginx``, ``stonith:fence_lab``. Pure."""

from typing import Self

from hatools.values.records import dataclass

CLASSES = ("ocf", "lsb", "systemd", "service", "stonith", "heartbeat", "nagios", "upstart")


@dataclass(frozen=True, slots=True)
class AgentName:
    """Class (standard), provider (OCF only, otherwise empty) and type of an agent."""

    standard: str
    provider: str
    type: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read ``CLASS:PROVIDER:TYPE`` or ``CLASS:TYPE``; None if it is neither."""
        standard, _, rest = text.partition(":")
        if standard not in CLASSES or not rest:
            return None
        if standard == "ocf":
            provider, separator, type_ = rest.partition(":")
            return cls(standard, provider, type_) if separator and provider and type_ else None
        return cls(standard, "", rest)

    def __str__(self) -> str:
        return ":".join(part for part in (self.standard, self.provider, self.type) if part)
