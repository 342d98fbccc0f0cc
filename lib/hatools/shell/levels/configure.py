"""The configure level: everything that edits the configuration."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from hatools.cib.document import children
from hatools.shell.changeset.operations import all_operations
from hatools.shell.commands import ADMINISTRATOR, EXPERT, CommandError, Door, Level, command
from hatools.shell.configuration import OvertakenError
from hatools.shell.selection import Selection, obscurer

if TYPE_CHECKING:
    from hatools.shell.changeset.threeway import Side
    from hatools.shell.context import Context

_FORCE = ("-f", "--force")
_ROUNDS = 5


def _statement(name: str, *aliases: str, skill: int = ADMINISTRATOR) -> Callable[["Configure", "Context"], bool]:
    """Return the command that makes an object of one kind."""

    def run(self: "Configure", context: "Context", *args: str) -> bool:
        return self.make_object(name, args)

    run.__name__ = "do_" + name
    return command(name, *aliases, skill=skill)(run)


class Configure(Level):
    """Edits the working copy of the configuration."""

    name = "configure"
    doors = (
        Door("ra", "ra", "Agents"),
        Door("cib", "cib", "CibLevel"),
        Door("cibstatus", "cibstatus", "CibStatus"),
        Door("template", "template", "Template"),
        Door("history", "history", "History"),
        Door("assist", "assist", "Assist"),
    )

    do_node = _statement("node")
    do_primitive = _statement("primitive", "resource")
    do_bundle = _statement("bundle", skill=0)
    do_group = _statement("group")
    do_clone = _statement("clone")
    do_rsc_template = _statement("rsc_template")
    do_location = _statement("location")
    do_colocation = _statement("colocation", "collocation")
    do_order = _statement("order")
    do_rsc_ticket = _statement("rsc_ticket")
    do_rsc_defaults = _statement("rsc_defaults")
    do_op_defaults = _statement("op_defaults")
    do_fencing_topology = _statement("fencing_topology")
    do_xml = _statement("xml")
    do_monitor = _statement("monitor")
    do_user = _statement("user", skill=EXPERT)
    do_role = _statement("role", skill=EXPERT)
    do_acl_target = _statement("acl_target", skill=EXPERT)
    do_tag = _statement("tag")
    do_alert = _statement("alert")

    def is_usable(self) -> bool:
        return self.session.configuration.load()

    def should_wait(self) -> bool:
        return self.session.configuration.has_changed

    def leave(self, *, silently: bool = False) -> bool:
        configuration = self.session.configuration
        succeeded = True
        if configuration.has_changed:
            if silently or not self.session.is_interactive:
                succeeded = self._commit()
            else:
                answer = self.console.ask_or_stay("There are changes pending. Do you want to commit them?")
                if answer is None:
                    self.console.info("nothing is lost: you are still in configure")
                    return False
                succeeded = not answer or self._commit()
        if succeeded or not self.session.is_interactive:
            configuration.reset()
        return succeeded

    # Making objects

    def make_object(self, word: str, args: tuple[str, ...]) -> bool:
        """Make an object from the words of its statement."""
        workspace = self.session.configuration.workspace
        if not workspace.is_supported(word):
            self.console.error(f"{word} not supported by the RNG schema")
            return False
        if args and args[0].startswith("id="):
            args = (args[0].removeprefix("id="), *args[1:])
        return workspace.create([word, *args])

    @command("ms", "master", skill=ADMINISTRATOR)
    def do_ms(self, context: "Context", *args: str) -> bool:
        words = [*args, *([] if "meta" in args else ["meta"]), "promotable=true"]
        self.console.warning(f'"ms" is deprecated. Please use "clone {" ".join(words)}"')
        return self.make_object("ms", args)

    @command(skill=ADMINISTRATOR)
    def do_property(self, context: "Context", *args: str) -> bool:
        if args and args[0].startswith("maintenance-mode="):
            from hatools.shell.maintenance import drop_overridden

            drop_overridden(self.session, "maintenance", "is-managed")
        return self.make_object("property", args)

    # Looking

    @command(skill=ADMINISTRATOR)
    def do_show(self, context: "Context", *args: str) -> bool:
        patterns = [arg.removeprefix("obscure:") for arg in args if arg.startswith("obscure:")]
        if not patterns:
            patterns = re.split(r"\s*\|\s*|\s+", self.session.preferences.get("core", "obscure_pattern").strip("|"))
        selection = Selection(self.session, [arg for arg in args if not arg.startswith("obscure:")])
        if self.session.output_format == "json":
            self.console.show(selection.json(obscurer(patterns)))
        elif selection.objects or selection.is_xml:
            self.console.show(selection.text(painted=True, obscured=obscurer(patterns)))
        return selection.complete

    @command("get_property", "get-property", skill=ADMINISTRATOR)
    def do_get_property(self, context: "Context", *args: str) -> bool:
        from hatools.shell.console import in_columns
        from hatools.shell.options import property_default, property_names

        names = [arg for arg in args if arg not in ("-t", "--true")]
        as_truth = len(names) < len(args)
        if not names:
            for line in in_columns(property_names()):
                print(line)
            return True
        workspace = self.session.configuration.workspace
        for name in names:
            value = workspace.property_value(name)
            if value is None:
                value = property_default(name)
            if value is not None:
                print(_canonical(value) if as_truth else value)
            elif as_truth:
                print("false")
            else:
                raise CommandError(f"{name}: Property not set")
        return True

    @command(skill=ADMINISTRATOR)
    def do_verify(self, context: "Context") -> bool:
        everything = Selection(self.session, ["xml"])
        return self._verify(everything, everything)

    @command(skill=ADMINISTRATOR)
    def do_schema(self, context: "Context", schema_st: str | None = None) -> bool:
        workspace = self.session.configuration.workspace
        if not schema_st:
            print(workspace.schema)
            return True
        from hatools.shell.schemas import change_schema

        return change_schema(self.session, schema_st)

    @command(skill=ADMINISTRATOR)
    def do_graph(self, context: "Context", *args: str) -> bool:
        from hatools.shell.graph import draw

        return draw(self.session, args)

    @command("ptest", "simulate")
    def do_ptest(self, context: "Context", *args: str) -> bool:
        from hatools.shell.simulation import simulate

        return simulate(self.session, Selection(self.session, ["xml"]).document(), args, context.word)

    # Editing

    @command(skill=ADMINISTRATOR)
    def do_edit(self, context: "Context", *args: str) -> bool:
        selection = Selection(self.session, args)
        if self.session.is_batch:
            self.console.info("edit not allowed in batch mode")
            return False
        from hatools.shell.editing import edit_selection

        return selection.complete and edit_selection(self.session, selection)

    @command(skill=ADMINISTRATOR)
    def do_filter(self, context: "Context", filterprog: str, *args: str) -> bool:
        selection = Selection(self.session, args)
        text = selection.text(broken=False, comments=False) if selection.objects or selection.is_xml else ""
        if not selection.complete:
            return False
        from hatools.shell.editing import run_filter

        result = run_filter(self.session, filterprog, text)
        if result is None:
            return False
        return result == text or selection.take_over(result, remove=True)

    @command(skill=ADMINISTRATOR)
    def do_modgroup(self, context: "Context", group_id: str, subcmd: str, prim_id: str, *args: str) -> bool:
        if subcmd not in ("add", "remove"):
            self.console.error(f"modgroup subcommand {subcmd} unknown")
            return False
        workspace = self.session.configuration.workspace
        if args:
            if subcmd != "add":
                raise CommandError(f"Expected add (found {subcmd})")
            if args[0] not in ("after", "before"):
                raise CommandError(f"Expected after|before (found {args[0]})")
            if len(args) != 2:
                raise CommandError(f"Expected 'after|before <id>' ({len(args)} arguments given)")
        group = workspace.find_object(group_id)
        if group is None:
            raise CommandError(f"group {group_id} does not exist")
        if group.node.tag != "group":
            raise CommandError(f"element {group_id} is not a group")
        members = [child.get("id") or "" for child in children(group.node, "primitive", "group")]
        if args and args[1] not in members:
            raise CommandError(f"{args[1]} is not member of {group_id}")
        if subcmd == "remove":
            if prim_id not in members:
                raise CommandError(f"{prim_id} is not member of {group_id}")
            members.remove(prim_id)
        else:
            where = members.index(args[1]) + (args[0] == "after") if args else len(members)
            members.insert(where, prim_id)
        return self._rewrite_group(group_id, members)

    def _rewrite_group(self, group_id: str, members: list[str]) -> bool:
        """Write the group's statement with other members."""
        from hatools.parser.printer import Layout, print_statement
        from hatools.parser.syntax import Container

        selection = Selection(self.session, [group_id])
        statements = []
        for item in selection.objects:
            statement = selection.workspace.statement(item)
            if isinstance(statement, Container) and item.word == "group":
                statement = statement._replace(children=tuple(members))
            if statement is not None:
                statements.append(print_statement(statement, Layout(broken=False)))
        return selection.take_over("\n".join(statements), remove=True)

    @command(skill=ADMINISTRATOR)
    def do_set(self, context: "Context", path: str, value: str) -> bool:
        parts = path.split(".")
        if not 2 <= len(parts) <= 4:
            raise CommandError(f'Invalid path: "{path}"; Valid path: "id.[op_type.][interval.]name"')
        item_id, *rest = parts
        item = self.session.configuration.workspace.find_object(item_id)
        if item is None:
            raise CommandError(f"Object {item_id} not found")
        if len(rest) == 1:
            pairs = [pair for pair in item.node.iter("nvpair") if pair.get("name") == rest[0]]
            if not pairs:
                raise CommandError(f"Attribute not found: {path}")
            if len(pairs) > 1:
                raise CommandError(f"Expected 1 attribute named {rest[0]}, found {len(pairs)}")
            pairs[0].set("value", value)
        else:
            kind, name = rest[0], rest[-1]
            operations = [op for op in all_operations(item.node) if op.get("name") == kind]
            if len(rest) == 3:
                operations = [op for op in all_operations(item.node) if op.get("id") == f"{item_id}-{kind}-{rest[1]}"]
                if not operations:
                    raise CommandError(f'Operation "{kind}" interval "{rest[1]}" not found for resource {item_id}')
            if not operations:
                raise CommandError(f'Operation "{kind}" not found for resource {item_id}')
            if len(operations) > 1:
                raise CommandError(f"Should specify interval of {kind}")
            operations[0].set(name, value)
        item.touch()
        return True

    @command("delete", "rm", skill=ADMINISTRATOR)
    def do_delete(self, context: "Context", *args: str) -> bool:
        names = [arg for arg in args if arg not in _FORCE]
        if len(names) < len(args) or self.session.preferences.flag("core", "force"):
            from hatools.shell.running import stop_running

            stop_running(self.session, names)
        return self.session.configuration.workspace.delete(names)

    @command("default-timeouts", "default_timeouts")
    def do_default_timeouts(self, context: "Context", *args: str) -> bool:
        from hatools.shell.timeouts import set_default_timeouts

        return set_default_timeouts(self.session, args)

    @command(skill=ADMINISTRATOR)
    def do_rename(self, context: "Context", old_id: str, new_id: str) -> bool:
        return self.session.configuration.workspace.rename(old_id, new_id)

    @command(skill=ADMINISTRATOR)
    def do_erase(self, context: "Context", nodes: str | None = None) -> bool:
        workspace = self.session.configuration.workspace
        if nodes is None:
            return workspace.erase(_print_error)
        if nodes != "nodes":
            raise CommandError(f"Expected 'nodes' (found '{nodes}')")
        workspace.erase_nodes()
        return True

    @command(skill=ADMINISTRATOR)
    def do_refresh(self, context: "Context") -> bool:
        configuration = self.session.configuration
        is_at_stake = self.session.is_interactive and configuration.has_changed
        if is_at_stake and not self.console.ask("All changes will be dropped. Do you want to proceed?"):
            return True
        configuration.refresh()
        return True

    # Files

    @command(skill=ADMINISTRATOR)
    def do_save(self, context: "Context", *args: str) -> bool:
        if not args:
            raise CommandError("Expected 1 argument (0 given)")
        from hatools.shell.editing import save_selection

        return save_selection(self.session, Selection(self.session, args[:-1]), args[-1])

    @command(skill=ADMINISTRATOR)
    def do_load(self, context: "Context", *args: str) -> bool:
        if len(args) < 2:
            raise CommandError("Expected 2 arguments (0 given)")
        is_xml = args[0] == "xml"
        wanted = 3 if is_xml else 2
        if len(args) != wanted:
            raise CommandError(f"Expected {wanted} arguments ({len(args)} given)")
        method, url = args[-2:]
        if method not in ("replace", "update", "push"):
            raise CommandError(f"Unknown method {method}")
        from hatools.shell.editing import read_url

        configuration = self.session.configuration
        if method == "replace" and self.session.is_interactive and configuration.has_changed:
            question = "This operation will erase all changes. Do you want to proceed?"
            if not self.console.ask(question):
                return False
        text = read_url(self.session, url)
        if text is None:
            return False
        before = configuration.workspace.snapshot()
        if method == "replace":
            configuration.workspace.erase(_print_error)
        selection = Selection(self.session, ["xml"] if is_xml else [])
        if selection.take_over(text, remove=method == "push", merge=method != "replace"):
            return True
        configuration.workspace.restore(before)
        return False

    # Committing

    @command(skill=ADMINISTRATOR, waits=True)
    def do_commit(self, context: "Context", arg0: str | None = None, arg1: str | None = None) -> bool:
        given = [arg for arg in (arg0, arg1) if arg is not None]
        for arg in given:
            if arg not in ("force", "replace", "ours", "theirs"):
                self.console.error(f"syntax parsing 'configure.commit {arg}'")
                return False
        from hatools.shell.changeset.threeway import Side

        prefer = Side.THEIRS if "theirs" in given else Side.OURS if {"ours", "force"} & set(given) else None
        return self._commit(force="force" in given, replace="replace" in given, prefer=prefer)

    def _commit(self, *, force: bool = False, replace: bool = False, prefer: "Side | None" = None) -> bool:
        configuration = self.session.configuration
        if not configuration.has_changed:
            self.console.info("apparently there is nothing to commit")
            self.console.info("try changing something first")
            return True
        for _ in range(_ROUNDS):
            try:
                return self._commit_once(force=force, replace=replace, prefer=prefer)
            except OvertakenError as overtaken:
                self.console.warning(str(overtaken))
        self.console.error("commit refused, your changes are kept: others change the configuration all the time")
        return False

    def _commit_once(self, *, force: bool, replace: bool, prefer: "Side | None") -> bool:
        from hatools.shell.conflicts import settle_changes_elsewhere

        configuration = self.session.configuration
        may_go_on = True
        if replace and not force:
            may_go_on = configuration.is_unchanged_elsewhere()
        checked = not replace and configuration.is_of_cib_in_use
        if checked and not settle_changes_elsewhere(self.session, prefer=prefer):
            return False
        if not configuration.has_changed:
            self.console.info("nothing of yours is left to commit")
            return configuration.refresh()
        is_fine = not configuration.workspace.of_word("primitive") or self._verify(
            Selection(self.session, ["xml", "changed"]), Selection(self.session, ["xml"])
        )
        if may_go_on and is_fine:
            return configuration.commit(replace=replace, checked=checked)
        if force or self.session.preferences.flag("core", "force"):
            self.console.info("commit forced")
            return configuration.commit(force=True, replace=replace, checked=checked)
        if self.console.ask("Do you still want to commit?"):
            return configuration.commit(force=True, replace=replace, checked=checked)
        return False

    def _verify(self, examined: Selection, everything: Selection) -> bool:
        """Check the whole configuration, and the examined objects against their agents."""
        from hatools.shell.verification import verify

        is_valid = not everything.objects or verify(self.session, everything.document())
        if self.session.preferences.get("core", "check_frequency") == "never":
            return is_valid
        from hatools.shell.semantics import check_selection

        return check_selection(self.session, examined.objects) <= 1 and is_valid

    @command(skill=ADMINISTRATOR)
    def do_upgrade(self, context: "Context", force: str | None = None) -> bool:
        if force and force != "force":
            raise CommandError("Expected 'force' or no argument")
        from hatools.shell.schemas import upgrade

        return upgrade(self.session, force=bool(force) or self.session.preferences.flag("core", "force"))

    # Trying out

    @command("validate-all", "validate_all", skill=ADMINISTRATOR)
    def do_validate_all(self, context: "Context", rsc: str) -> bool:
        from hatools.shell.trials import validate_resource

        return validate_resource(self.session, rsc)

    @command(skill=EXPERT)
    def do_rsctest(self, context: "Context", *args: str) -> bool:
        from hatools.shell.trials import test_resources

        return test_resources(self.session, args)

    # For tests of scripts

    @command("_keywords", skill=ADMINISTRATOR)
    def do_keywords(self, context: "Context") -> None:
        from hatools.parser.grammar import STATEMENT_WORDS
        from hatools.parser.pieces import BLOCK_WORDS

        kinds = {**dict.fromkeys(BLOCK_WORDS, "subelement"), **dict.fromkeys(STATEMENT_WORDS, "element")}
        for word, kind in sorted(kinds.items()):
            print(f"{word:<16} {kind}")

    @command("_objects", skill=ADMINISTRATOR)
    def do_objects(self, context: "Context") -> None:
        from tabulate import tabulate

        rows = [
            (item.id, "cib" if item.from_cib else "user", item.updated, item.parent.id if item.parent else "")
            for item in self.session.configuration.workspace.objects
        ]
        print(tabulate(rows, headers=("id", "origin", "updated", "parent"), tablefmt="plain"))


def _canonical(value: str) -> str:
    from hatools.values.boolean import is_true

    return "true" if is_true(value) else "false"


def _print_error(text: str) -> None:
    import sys

    print(text, file=sys.stderr)
