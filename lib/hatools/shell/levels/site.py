"""The site level: tickets of geographically distributed clusters."""

import time
from typing import TYPE_CHECKING

from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.programs import call, capture, is_name_sane

if TYPE_CHECKING:
    from hatools.shell.context import Context

_ACTIONS = {
    "grant": ["-g"],
    "revoke": ["-r"],
    "delete": ["-D", "granted"],
    "standby": ["-s"],
    "activate": ["-a"],
    "show": ["-G", "granted"],
    "time": ["-G", "last-granted"],
}


class Site(Level):
    """Manages tickets."""

    name = "site"

    @command(skill=ADMINISTRATOR)
    def do_ticket(self, context: "Context", subcmd: str, ticket: str) -> bool:
        if subcmd not in _ACTIONS:
            raise CommandError(f"Expected one of {'|'.join(_ACTIONS)}")
        if not is_name_sane(ticket):
            self.console.error(f"{ticket}: bad name")
            return False
        argv = ["--force"] if self.session.preferences.flag("core", "force") else []
        argv += ["-t", ticket, *_ACTIONS[subcmd]]
        if subcmd not in ("show", "time"):
            return call("crm_ticket", *argv) == 0
        lines = capture("crm_ticket", argv).out.splitlines()
        if not lines:
            raise CommandError(f"apparently nothing to show for ticket {ticket}")
        value = lines[0]
        if subcmd == "time":
            if not value.lstrip("-").isdigit():
                raise CommandError(f"unexpected value for ticket {ticket}: {value}")
            if value == "-1":
                raise CommandError(f"{ticket}: no such ticket")
            print(f"ticket {ticket} last time granted on {time.ctime(int(value))}")
            return True
        if value not in ("true", "false"):
            raise CommandError(f"unexpected value for ticket {ticket}: {value}")
        print(f"ticket {ticket} is {'granted' if value == 'true' else 'revoked'}")
        return True
