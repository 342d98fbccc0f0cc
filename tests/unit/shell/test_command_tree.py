"""The tree of levels and commands that people know from the original shell, complete."""

from typing import cast

import pytest

from hatools.shell.commands import Command, Door, Level
from hatools.shell.help import help_text, short_help
from hatools.shell.levels.root import Root

TREE = {
    "root": "cib cibstatus cluster configure corosync history maintenance node options ra report resource script site "
    "status verify",
    "cib": "cibstatus new import delete reset commit diff list use",
    "cibstatus": "load save origin show quorum node ticket op run simulate",
    "cluster": "start stop restart enable disable init join remove rename geo_init geo_join geo_init_arbitrator health "
    "status wait_for_startup run copy diff crash_test",
    "configure": "ra cib cibstatus template history assist show get_property get-property filter set modgroup edit "
    "verify validate-all validate_all save load graph delete rm default-timeouts default_timeouts rename erase refresh "
    "ptest simulate commit upgrade schema rsctest node primitive resource group clone ms master rsc_template bundle "
    "location colocation collocation order rsc_ticket rsc_defaults op_defaults property fencing_topology role user "
    "acl_target tag alert xml monitor",
    "template": "new delete load edit show apply list",
    "assist": "template weak-bond weak_bond",
    "corosync": "status reload push pull diff edit show log add-node add_node del-node del_node get set",
    "history": "source limit timeframe refresh detail setnodes info latest resource node log events peinputs "
    "transitions transition show graph diff wdiff session exclude",
    "maintenance": "on off action",
    "node": "show list standby online maintenance ready fence clearstate delete attribute utilization status-attr "
    "server",
    "options": "set skill-level skill_level editor pager user output colorscheme check-frequency check_frequency "
    "check-mode check_mode sort-elements sort_elements wait add-quotes add_quotes manage-children manage_children show "
    "list save reset",
    "ra": "classes providers list info meta validate",
    "resource": "status show list start stop restart promote scores locate demote manage unmanage move migrate ban "
    "clear unmove unban unmigrate cleanup operations constraints failcount param secret meta utilization refresh "
    "reprobe maintenance trace untrace",
    "script": "list show info describe verify run json",
    "site": "ticket",
}
GENERAL = "up end back cd ls quit bye exit help ?"


def _levels(level: type[Level] = Root) -> dict[str, type[Level]]:
    found = {level.name: level}
    for door in level.doors:
        if door.name not in found:
            found |= _levels(door.open())
    return found


LEVELS = _levels()


def test_all_levels_can_be_reached() -> None:
    assert set(TREE) <= set(LEVELS)


@pytest.mark.parametrize("name", TREE)
def test_a_level_has_its_commands_each_with_help(name: str) -> None:
    level = LEVELS[name]
    entries = level.entries()
    general = [word for word in GENERAL.split() if name != "root" or word not in ("up", "end", "back")]
    missing = [word for word in (*TREE[name].split(), *general) if word not in entries]
    assert missing == []
    silent = [
        word
        for word in TREE[name].split()
        if not isinstance(entries[word], Door)
        and not (short_help(name, entries[word].name) and help_text(cast(Level, level), entries[word].name, None))
    ]
    assert silent == []


@pytest.mark.parametrize("name", TREE)
def test_a_door_leads_into_its_level(name: str) -> None:
    for entry in LEVELS[name].entries().values():
        assert isinstance(entry, Command) or entry.open().name == entry.name
