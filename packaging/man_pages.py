"""Write the man pages whose text follows from the commands' own option tables.

    python packaging/man_pages.py [--check]

What the options cannot tell (what a command is for, its exit statuses) is in ``man/prose/NAME.txt``: paragraphs are
separated by empty lines, and a line in capitals begins a section. The pages are kept in ``man/`` beside the ones
written by hand, so ``man -l man/crm_resource.8`` works in a checkout; ``--check`` only says whether they are current.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "lib"))

from hatools.cli import (  # noqa: E402 (needs the path)
    cibsecret,
    crm_attribute,
    crm_error,
    crm_failcount,
    crm_master,
    crm_report,
    crm_standby,
    crm_ticket,
)
from hatools.cli.options import Group, Option, Program, program_groups  # noqa: E402 (needs the path)
from hatools.cli.resource import interface as crm_resource  # noqa: E402 (needs the path)
from hatools.values.fencing_options import FENCING_PARAMETERS  # noqa: E402 (needs the path)
from hatools.values.options import DAEMON_OPTIONS, OptionMeaning  # noqa: E402 (needs the path)

PROGRAMS: tuple[Program, ...] = (
    crm_resource.PROGRAM,
    crm_attribute.PROGRAM,
    crm_ticket.PROGRAM,
    crm_error.PROGRAM,
)

USAGES = {
    "crm_standby": ("query, enable, or disable standby mode for a node", crm_standby.USAGE),
    "crm_failcount": ("query or delete resource fail counts", crm_failcount.USAGE),
    "crm_master": ("query, update, or delete a resource's promotion score (deprecated)", crm_master.USAGE),
    "crm_report": ("create archive of everything needed when reporting cluster problems", crm_report.HELP),
    "cibsecret": ("manage sensitive information in the cluster configuration", cibsecret.HELP),
}

OPTION_LISTS: dict[str, tuple[str, Iterable[OptionMeaning]]] = {
    "pacemaker-based": ("cluster options of the configuration's daemon", DAEMON_OPTIONS["based"]),
    "pacemaker-controld": ("cluster options of the controller", DAEMON_OPTIONS["controld"]),
    "pacemaker-schedulerd": ("cluster options of the scheduler", DAEMON_OPTIONS["schedulerd"]),
    "pacemaker-fenced": ("parameters that every fence device understands", FENCING_PARAMETERS),
}

_AT_THE_END = ("EXIT STATUS", "FILES")

ENVIRONMENT = """
.SH ENVIRONMENT
.TP
.B CIB_file
A file (or pipe) with a configuration to work on instead of the running cluster.
.TP
.BR CIB_shadow ", " CIB_shadow_dir
The name of a shadow configuration to work on, and the folder where those are kept; see
.BR crm_shadow (8).
.TP
.B HATOOLS_ROOT
The folder below which everything of the node lies; / if unset.
"""

SEE_ALSO = """
.SH SEE ALSO
.BR crm (8),
.BR crm_mon (8),
.BR crm_shadow (8),
.BR cibadmin (8),
.BR pacemakerd (8)
"""


def main(argv: list[str]) -> int:
    """Write the pages, or check them."""
    stale = []
    for name, text in pages():
        path = SOURCE / "man" / name
        if "--check" in argv:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"man/{name} is not current: run python packaging/man_pages.py", file=sys.stderr)
    return 1 if stale else 0


def pages() -> Iterator[tuple[str, str]]:
    """Yield each page's file name and text."""
    for program in PROGRAMS:
        yield f"{program.name}.8", program_page(program)
    for name, (purpose, usage) in USAGES.items():
        yield f"{name}.8", usage_page(name, purpose, usage)
    for name, (purpose, options) in OPTION_LISTS.items():
        yield f"{name}.7", option_page(name, purpose, options)


# Kinds of pages


def program_page(program: Program) -> str:
    """Return the page of a command whose options are declared."""
    summary = program.summary.split("\n")[0]
    purpose = summary.partition(" - ")[2] or summary[:1].lower() + summary[1:]
    parts = [_head(program.name, 8, purpose)]
    parameters = f" {program.parameters}" if program.parameters else ""
    parts.append(f".SH SYNOPSIS\n.B {escape(program.name)}\n[\\fIOPTIONS\\fR]{escape(parameters)}\n")
    before, after = _prose(program.name)
    parts.append(before)
    for group in program_groups(program):
        parts.append(_group(group))
    parts += [_examples(program.epilogue), after]
    parts += [ENVIRONMENT.lstrip("\n"), SEE_ALSO.lstrip("\n")]
    return "".join(parts)


def usage_page(name: str, purpose: str, usage: str) -> str:
    """Return the page of a command that has its usage as text."""
    synopsis = next((line.split(None, 2)[2] for line in usage.splitlines() if line.startswith("Usage: ")), "")
    synopsis = synopsis or "[OPTIONS] COMMAND [PARAMETERS]"
    before, after = _prose(name)
    parts = [_head(name, 8, purpose), f".SH SYNOPSIS\n.B {escape(name)}\n{escape(synopsis)}\n", before]
    parts += [f".SH USAGE\n.nf\n{escape(usage.strip())}\n.fi\n", after]
    parts += [ENVIRONMENT.lstrip("\n"), SEE_ALSO.lstrip("\n")]
    return "".join(parts)


def option_page(name: str, purpose: str, options: Iterable[OptionMeaning]) -> str:
    """Return the page of options that are set in the configuration."""
    parts = [_head(name, 7, purpose), f".SH SYNOPSIS\n.B {escape(name)}\nmetadata\n.SH OPTIONS\n"]
    for option in options:
        kind = "|".join(option.choices) if option.choices else option.type
        default = "" if option.default in (None, "") else f", default \\fB{escape(option.default or '')}\\fR"
        parts.append(f".TP\n.B {escape(option.name)}\n(\\fI{escape(kind)}\\fR{default})\n")
        parts.append(f"{_text(option.summary)}\n")
        if option.details:
            parts.append(f".IP\n{_text(option.details)}\n")
        if option.allowed:
            parts.append(f".IP\nAllowed values: {_text(option.allowed)}\n")
    parts.append(SEE_ALSO.lstrip("\n"))
    return "".join(parts)


# Pieces


def escape(text: str) -> str:
    """Protect what roff would take for its own."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def _text(text: str) -> str:
    return escape(" ".join(text.replace("\\n", " ").split()))


def _head(name: str, section: int, purpose: str) -> str:
    return (
        f'.TH {name.upper()} {section} "2026" "hatools" "System Administration"\n'
        f".SH NAME\n{escape(name)} \\- {escape(purpose)}\n"
    )


def _prose(name: str) -> tuple[str, str]:
    """Return the hand-written parts of a page: what stands before the options, and what behind them."""
    text = (SOURCE / "man" / "prose" / f"{name}.txt").read_text(encoding="utf-8")
    sections: list[tuple[str, list[str]]] = [("DESCRIPTION", [])]
    for paragraph in text.strip().split("\n\n"):
        if paragraph.isupper() and "\n" not in paragraph:
            sections.append((paragraph, []))
        else:
            sections[-1][1].append(paragraph)
    before, after = "", ""
    for title, paragraphs in sections:
        section = f".SH {escape(title)}\n" + ".PP\n".join(f"{escape(each)}\n" for each in paragraphs)
        if title in _AT_THE_END:
            after += section
        else:
            before += section
    return before, after


def _group(group: Group) -> str:
    title = group.title.rstrip(":").upper()
    return f".SH {escape(title)}\n" + "".join(_option(option) for option in group.options if not option.hidden)


def _option(option: Option) -> str:
    names = ([f"\\-{escape(option.short)}"] if option.short else []) + [f"\\-\\-{escape(option.long)}"]
    shown = ", ".join(f"\\fB{name}\\fR" for name in names)
    if option.argument:
        shown += f"=\\fI{escape(option.argument)}\\fR"
    return f".TP\n{shown}\n{_text(option.description)}\n"


def _examples(epilogue: str) -> str:
    """Turn the help's examples into a section; other closing words are left out."""
    _, separator, body = epilogue.partition("Examples:\n")
    if not separator:
        return ""
    parts = [".SH EXAMPLES\n"]
    for block in body.strip().split("\n\n"):
        line = block.strip()
        if block.startswith("\t"):
            parts.append(f".IP\n.B {escape(line.removeprefix('# '))}\n")
        else:
            parts.append(f".PP\n{escape(line)}\n")
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
