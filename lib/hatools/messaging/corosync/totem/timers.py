"""The deadlines of the ring protocol at one node. Pure."""

from hatools.values.records import dataclass


@dataclass(slots=True)
class Timers:
    """When something is to be done unless something else happens first; None: never."""

    token: float | None = None
    """The token is lost."""
    late: float | None = None
    """The token is late: worth a warning."""
    resend: float | None = None
    """What was sent last, a token, is sent again."""
    hold: float | None = None
    """A held token goes on."""
    join: float | None = None
    """Our vote is sent again."""
    consensus: float | None = None
    """Who has not agreed is given up."""
    merge: float | None = None
    """Nodes outside are told of our ring."""

    @property
    def earliest(self) -> float | None:
        """Return the next deadline."""
        times = (self.token, self.late, self.resend, self.hold, self.join, self.consensus, self.merge)
        return min([time for time in times if time is not None], default=None)

    def stop(self) -> None:
        """Forget them all."""
        self.token = self.late = self.resend = self.hold = self.join = self.consensus = self.merge = None
