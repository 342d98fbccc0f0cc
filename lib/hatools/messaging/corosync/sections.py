"""The shape of corosync.conf: sections and keys, with their places. Pure.

``name {`` opens a section, ``}`` closes it, ``key: value`` sets a value, ``#`` begins a comment line.
Parsing and :func:`export` are inverses but for comments and spacing.
"""

from hatools.values.errors import SyntaxProblem
from hatools.values.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """``key: value``; line and column (both from 1) are those of the value."""

    key: str
    value: str
    line: int
    column: int


@dataclass(slots=True)
class Section:
    """A section; the file itself is one without a name. ``line`` is that of its opening, ``end`` of its closing."""

    name: str
    line: int = 0
    column: int = 0
    end: int = 0
    entries: list[Entry] = field(default_factory=list)
    sections: list["Section"] = field(default_factory=list)

    def named(self, name: str) -> list["Section"]:
        """Return the sections of this name directly below."""
        return [section for section in self.sections if section.name == name]

    def find(self, key: str) -> Entry | None:
        """Return the last entry with this key: it wins, as in corosync."""
        return next((entry for entry in reversed(self.entries) if entry.key == key), None)


def parse_sections(text: str) -> Section:
    """Read the text of a file.

    Raises:
        SyntaxProblem: a line is neither of the forms, or the braces do not match.
    """
    root = Section("")
    open_sections = [root]
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        column = len(raw) - len(raw.lstrip()) + 1
        if not line or line.startswith("#"):
            continue
        if line == "}":
            if len(open_sections) == 1:
                raise SyntaxProblem('"}" without a section to close', number, column)
            open_sections.pop().end = number
        elif line.endswith("{"):
            section = Section(line[:-1].strip(), number, column)
            if not section.name:
                raise SyntaxProblem('a section needs a name before "{"', number, column)
            open_sections[-1].sections.append(section)
            open_sections.append(section)
        elif ":" in line:
            key, _, value = line.partition(":")
            if not key.strip():
                raise SyntaxProblem('a key is expected before ":"', number, column)
            place = raw.index(":") + 2 + len(value) - len(value.lstrip())
            open_sections[-1].entries.append(Entry(key.strip(), value.strip(), number, place))
        else:
            raise SyntaxProblem('expected "name {", "}" or "key: value"', number, column)
    if len(open_sections) > 1:
        last = open_sections[-1]
        raise SyntaxProblem(f'section "{last.name}" is not closed', last.line, last.column)
    return root


def export(section: Section, indent: str = "") -> str:
    """Return the text of a section's content."""
    lines = [f"{indent}{entry.key}: {entry.value}\n" for entry in section.entries]
    for inner in section.sections:
        lines.append(f"{indent}{inner.name} {{\n{export(inner, indent + '    ')}{indent}}}\n")
    return "".join(lines)
