"""What the keys of a live ``crm_mon`` change. Pure."""

from hatools.cli.mon_options import PROGRAM
from hatools.cli.mon_request import FENCING_LEVELS
from hatools.status.view import Section, Show
from hatools.values.records import dataclass

__all__ = ["Choice", "help_text", "press"]


@dataclass(slots=True)
class Choice:
    """What is shown at the moment, how much of it, and which level of fencing history."""

    sections: Section
    show: Show
    fence_level: int


_SECTIONS = {
    "c": Section.TICKETS,
    "f": Section.FAILCOUNTS,
    "A": Section.ATTRIBUTES,
    "L": Section.BANS,
}
_SHOW = {"n": Show.BY_NODE, "r": Show.INACTIVE, "R": Show.DETAILS, "b": Show.BRIEF, "j": Show.PENDING}


def press(choice: Choice, key: str) -> bool:
    """Change the choice as a key says; return whether the key means anything."""
    if key in _SECTIONS:
        choice.sections ^= _SECTIONS[key]
    elif key in _SHOW:
        choice.show ^= _SHOW[key]
    elif key == "o":
        choice.sections ^= Section.OPERATIONS
        if Section.OPERATIONS not in choice.sections:
            choice.show &= ~Show.TIMING
    elif key == "t":
        choice.show ^= Show.TIMING
        if Show.TIMING in choice.show:
            choice.sections |= Section.OPERATIONS
    elif key == "D":
        if choice.sections & Section.SUMMARY:
            choice.sections &= ~Section.SUMMARY
        else:
            choice.sections |= Section.SUMMARY
        choice.sections &= ~Section.OPTIONS
    elif key == "m":
        choice.fence_level = (choice.fence_level + 1) % len(FENCING_LEVELS)
        choice.sections = (choice.sections & ~Section.FENCING) | FENCING_LEVELS[choice.fence_level]
    else:
        return False
    return True


def help_text(choice: Choice) -> str:
    """Return the help screen: each key, whether it is on, and what it does."""
    described = {option.short: option.description for group in PROGRAM.groups for option in group.options}
    lines = ["Display option change mode"]
    for key in "cfnortALDRbj":
        if key in _SECTIONS:
            on = bool(choice.sections & _SECTIONS[key])
        elif key in _SHOW:
            on = bool(choice.show & _SHOW[key])
        else:
            on = {
                "o": bool(choice.sections & Section.OPERATIONS),
                "t": bool(choice.show & Show.TIMING),
                "D": not choice.sections & Section.SUMMARY,
            }[key]
        lines.append(f"{'*' if on else ' '} {key}: \t{described.get(key, 'No help available')}")
    lines.append(f"{choice.fence_level} m: \t{described['m']}")
    lines += ["", "Toggle fields via field letter, type any other key to return"]
    return "\n".join(lines)
