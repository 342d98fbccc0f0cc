"""A person's settings of the shell: ``crm.conf``. I/O: reads and writes that file.

The system's file is read first, the person's (``CRM_CONFIG_FILE`` or ``~/.config/crm/crm.conf``)
on top. Sections, names and defaults are those of the original shell, so that files carry over.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from hatools.values.records import dataclass

SYSTEM_FILE = "/etc/crm/crm.conf"
_TRUE = ("yes", "true", "on", "1")
_FALSE = ("no", "false", "off", "0")
COLOURS = (
    "black",
    "blue",
    "green",
    "cyan",
    "red",
    "magenta",
    "yellow",
    "white",
    "bold",
    "blink",
    "dim",
    "reverse",
    "underline",
    "normal",
)


@dataclass(frozen=True, slots=True)
class Preference:
    """One setting: ``kind`` is text, flag, choice, choices, colour or program."""

    kind: str
    default: str
    choices: tuple[str, ...] = ()

    def check(self, value: str) -> None:
        """Raise ValueError, saying why, if the value cannot be used."""
        if self.kind == "flag" and value.lower() not in _TRUE + _FALSE:
            tries = ", ".join(_TRUE + _FALSE)
            raise ValueError(f"Not a boolean: {value} (try one of: {tries})")
        if self.kind == "choice" and value not in self.choices:
            raise ValueError(f"{value} not in {', '.join(self.choices)}")
        if self.kind == "choices":
            for part in value.split(","):
                if part.strip() not in self.choices:
                    raise ValueError(f"{value} not in {', '.join(self.choices)}")
        if self.kind == "colour":
            for part in value.split(" "):
                if part not in COLOURS:
                    raise ValueError(f"Invalid color {value}")
        if self.kind == "program" and value and not _find_program(value.split()[0]):
            raise ValueError(f"{value} does not exist or is not a program")


def _find_program(name: str) -> str | None:
    for folder in [""] if "/" in name else os.environ.get("PATH", "/usr/bin:/bin").split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def _text(default: str = "") -> Preference:
    return Preference("text", default)


def _flag(default: str) -> Preference:
    return Preference("flag", default, _TRUE + _FALSE)


def _choice(default: str, *choices: str) -> Preference:
    return Preference("choice", default, choices)


def _colour(default: str) -> Preference:
    return Preference("colour", default, COLOURS)


# $NAME and candidates of programs are resolved when they are asked for.
_PROGRAMS = {
    "editor": ("EDITOR", ("vim", "vi", "emacs", "nano")),
    "pager": ("PAGER", ("less", "more", "pg")),
    "ptest": ("", ("ptest", "crm_simulate")),
    "dotty": ("", ("dotty",)),
    "dot": ("", ("dot",)),
}

PREFERENCES: dict[str, dict[str, Preference]] = {
    "core": {
        "editor": Preference("program", "", _PROGRAMS["editor"][1]),
        "pager": Preference("program", "", _PROGRAMS["pager"][1]),
        "user": _text(),
        "skill_level": _choice("expert", "operator", "administrator", "expert"),
        "sort_elements": _flag("yes"),
        "check_frequency": _choice("always", "always", "on-verify", "never"),
        "check_mode": _choice("strict", "strict", "relaxed"),
        "wait": _flag("no"),
        "add_quotes": _flag("yes"),
        "manage_children": _choice("ask", "ask", "never", "always"),
        "force": _flag("no"),
        "debug": _flag("no"),
        "ptest": Preference("program", "", _PROGRAMS["ptest"][1]),
        "dotty": Preference("program", "", _PROGRAMS["dotty"][1]),
        "dot": Preference("program", "", _PROGRAMS["dot"][1]),
        "ignore_missing_metadata": _flag("no"),
        "report_tool_options": _text(),
        "lock_timeout": _text("120"),
        "OCF_1_1_SUPPORT": _flag("no"),
        "obscure_pattern": _text("passw*"),
    },
    "path": {
        "sharedir": _text("/usr/share/crmsh"),
        "cache": _text("/var/cache/crm"),
        "crm_config": _text("/var/lib/pacemaker/cib"),
        "crm_daemon_dir": _text("/usr/lib/pacemaker"),
        "crm_daemon_user": _text("hacluster"),
        "ocf_root": _text("/usr/lib/ocf"),
        "crm_dtd_dir": _text("/usr/share/pacemaker"),
        "pe_state_dir": _text("/var/lib/pacemaker/pengine"),
        "heartbeat_dir": _text("/var/lib/heartbeat"),
        "hb_delnode": _text("/usr/share/heartbeat/hb_delnode"),
        "nagios_plugins": _text("/usr/lib/nagios/plugins"),
        "hawk_wizards": _text("/srv/www/hawk/config/wizard"),
    },
    "color": {
        "style": Preference("choices", "color", ("plain", "color-always", "color", "uppercase")),
        "error": _colour("red bold"),
        "ok": _colour("green bold"),
        "warn": _colour("yellow bold"),
        "info": _colour("cyan"),
        "help_keyword": _colour("blue bold underline"),
        "help_header": _colour("normal bold"),
        "help_topic": _colour("yellow bold"),
        "help_block": _colour("cyan"),
        "keyword": _colour("yellow"),
        "identifier": _colour("normal"),
        "attr_name": _colour("cyan"),
        "attr_value": _colour("red"),
        "resource_reference": _colour("green"),
        "id_reference": _colour("green"),
        "score": _colour("magenta"),
        "ticket": _colour("magenta"),
    },
    "report": {
        "from_time": _text("-12H"),
        "compress": _flag("yes"),
        "speed_up": _flag("no"),
        "collect_extra_logs": _text("/var/log/messages /var/log/pacemaker/pacemaker.log /etc/crm/crm.conf"),
        "remove_exist_dest": _flag("no"),
        "single_node": _flag("no"),
        "sanitize_rule": _text("passw.*"),
        "verbosity": _text("0"),
    },
}


class Preferences:
    """The settings in force."""

    def __init__(self) -> None:
        self._system = read_sections(Path(SYSTEM_FILE))
        self.path = personal_file()
        self._personal = read_sections(self.path)

    def get(self, section: str, name: str) -> str:
        """Return a setting as text.

        Raises:
            ValueError: there is no such setting.
        """
        known = PREFERENCES.get(section, {}).get(name)
        if known is None:
            raise ValueError(f"No option '{name}' in section: '{section}'")
        for table in (self._personal, self._system):
            value = table.get(section, {}).get(name.lower())
            if value is not None:
                return value
        return _find_default(name) if section == "core" and name in _PROGRAMS else known.default

    def flag(self, section: str, name: str) -> bool:
        """Return a setting that is true or false."""
        return self.get(section, name).lower() in _TRUE

    def colours(self, role: str) -> list[str]:
        """Return the colours of a role."""
        return self.get("color", role).replace(",", " ").split()

    def set(self, section: str, name: str, value: str) -> None:
        """Change a setting for this session.

        Raises:
            ValueError: there is no such setting, or the value is wrong.
        """
        if section not in PREFERENCES:
            raise ValueError(f"Setting invalid section {section}")
        if name not in PREFERENCES[section]:
            raise ValueError(f"Setting invalid option {section}.{name}")
        PREFERENCES[section][name].check(value)
        self._personal.setdefault(section, {})[name.lower()] = value

    def names(self) -> list[str]:
        """Return ``section.name`` of every setting, sorted."""
        return sorted(f"{section}.{name}" for section, names in PREFERENCES.items() for name in names)

    def configured(self) -> Iterator[str]:
        """Yield ``section.name`` of the settings that a file or this session gave."""
        for section, names in PREFERENCES.items():
            for name in names:
                if any(name.lower() in table.get(section, {}) for table in (self._system, self._personal)):
                    yield f"{section}.{name}"

    def reset(self) -> None:
        """Go back to what the person's file says."""
        self._personal = read_sections(self.path)

    def save(self) -> None:
        """Write the person's file, completely or not at all."""
        if not any(self._personal.values()):
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = []
        for section, values in self._personal.items():
            lines.append(f"[{section}]\n")
            lines += [f"{name} = {value}\n" for name, value in values.items()]
            lines.append("\n")
        temporary = self.path.with_name(self.path.name + ".new")
        temporary.write_text("".join(lines), encoding="utf-8")
        temporary.replace(self.path)


def _find_default(name: str) -> str:
    variable, candidates = _PROGRAMS[name]
    if variable and os.environ.get(variable):
        return os.environ[variable]
    return next((path for path in map(_find_program, candidates) if path), "")


def personal_file() -> Path:
    """Return where a person's settings are kept."""
    given = os.environ.get("CRM_CONFIG_FILE")
    if given:
        return Path(given)
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(folder) / "crm/crm.conf"


def read_sections(path: Path) -> dict[str, dict[str, str]]:
    """Read an INI file; what cannot be read counts as empty."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    table: dict[str, dict[str, str]] = {}
    section: dict[str, str] | None = None
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if stripped.startswith("[") and stripped.endswith("]"):
            section = table.setdefault(stripped[1:-1].strip(), {})
            continue
        cut = min((at for at in (stripped.find("="), stripped.find(":")) if at > 0), default=-1)
        if section is not None and cut > 0:
            section[stripped[:cut].strip().lower()] = stripped[cut + 1 :].strip()
    return table
