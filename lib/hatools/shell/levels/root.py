"""The outermost level: the way to all others, and the cluster's state."""

from typing import TYPE_CHECKING

from hatools.shell.commands import Door, Level, command

if TYPE_CHECKING:
    from hatools.shell.context import Context


class Root(Level):
    """The outermost level."""

    name = "root"
    doors = (
        Door("cib", "cib", "CibLevel"),
        Door("cibstatus", "cibstatus", "CibStatus"),
        Door("cluster", "cluster", "Cluster"),
        Door("configure", "configure", "Configure"),
        Door("corosync", "corosync", "Corosync"),
        Door("history", "history", "History"),
        Door("maintenance", "maintenance", "Maintenance"),
        Door("node", "node", "NodeLevel"),
        Door("options", "options", "Options"),
        Door("ra", "ra", "Agents"),
        Door("resource", "resource", "ResourceLevel"),
        Door("script", "script", "ScriptLevel"),
        Door("site", "site", "Site"),
    )

    @command()
    def do_status(self, context: "Context", *args: str) -> bool:
        from hatools.shell.status import show_status

        return show_status(self.session, args)

    @command()
    def do_verify(self, context: "Context", *args: str) -> bool:
        from hatools.shell.status import verify_cluster

        return verify_cluster(self.session, "scores" in args)

    @command()
    def do_report(self, context: "Context", *args: str) -> bool:
        from hatools.shell.report import collect_report

        return collect_report(self.session, args)

    @command()
    def do_lab(self, context: "Context", *args: str) -> bool:
        from hatools.lab.command import main

        return main(list(args)) == 0

    @command("import")
    def do_import(self, context: "Context", kind: str, file: str) -> bool:
        from hatools.shell.heartbeat import show_import

        return show_import(self.console, kind, file)
