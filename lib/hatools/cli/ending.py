"""How a command ends before its last line: exceptions that carry its exit status. Pure."""

__all__ = ["Finished", "Refused"]


class Finished(Exception):
    """The command is over, and what there was to say has been said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Refused(Exception):
    """The command cannot be carried out; ``text`` says why, empty where the exit status says enough."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
