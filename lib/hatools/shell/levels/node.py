"""The node level: standby, maintenance, fencing and attributes of nodes."""

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from hatools.cib.document import children
from hatools.shell.attributes import manage
from hatools.shell.changeset.merging import blocks, drop_empty_blocks, pair_named, set_pair
from hatools.shell.commands import CommandError, Level, command
from hatools.shell.nodes import names_in
from hatools.shell.programs import call, capture, is_name_sane

if TYPE_CHECKING:
    from hatools.shell.context import Context


class NodeLevel(Level):
    """Manages nodes."""

    name = "node"

    def _sane(self, name: str) -> bool:
        if is_name_sane(name):
            return True
        self.console.error(f"{name}: bad name")
        return False

    @command("show", "list")
    def do_show(self, context: "Context", node: str | None = None) -> bool:
        root = self.session.configuration.read()
        if root is None:
            return False
        configured = {e.get("uname"): e for e in children(root.find("configuration/nodes"), "node")}
        states = {e.get("uname"): e for e in children(root.find("status"), "node_state")}
        names = [node] if node is not None else sorted({str(name) for name in (*configured, *states)})
        if self.session.output_format == "json":
            import json

            known = [(name, configured.get(name, states.get(name))) for name in names]
            rows = [_as_data(element, states.get(name)) for name, element in known if element is not None]
            print(json.dumps(rows, indent=2, ensure_ascii=False))
            return True
        for name in names:
            element = configured.get(name, states.get(name))
            if element is not None:
                state = states.get(name)
                _print_node(element, state is not None and state.get("crmd") == "offline")
        return True

    @command(waits=True)
    def do_standby(self, context: "Context", *args: str) -> bool | None:
        from hatools.shell.levels.resource import lifetime_in

        words = list(args)
        until_reboot = lifetime_in(words, periods=False) == "reboot"
        names = self._chosen(context, words)
        if not names:
            return None
        return self._set_standby(names, "on", until_reboot=until_reboot)

    @command(waits=True)
    def do_online(self, context: "Context", *args: str) -> bool | None:
        names = self._chosen(context, list(args))
        if not names:
            return None
        return self._set_standby(names, "off", until_reboot=False)

    def _chosen(self, context: "Context", words: list[str]) -> list[str]:
        """Return the nodes that are meant: named ones, ``--all``, or this one."""
        everyone = "--all" in words
        names = [word for word in words if not word.startswith("-")]
        unknown = [word for word in words if word.startswith("-") and word != "--all"]
        if unknown:
            raise CommandError(f"unknown option {unknown[0]}: expected [--all | <node>...]")
        if everyone and names:
            raise CommandError("Should either use --all or specific node(s)")
        if not everyone and not names:
            return [self.session.node_name]
        root = self.session.configuration.read()
        members = names_in(root) if root is not None else []
        if not members:
            raise CommandError("Cannot get the node list from cluster")
        for name in names:
            if name not in members:
                raise CommandError(f'Node "{name}" is not a cluster node')
        chosen = list(members if everyone else names)
        if self.session.is_live:
            return chosen
        from hatools.shell.reachability import drop_unreachable

        return drop_unreachable(self.session, chosen)

    def _set_standby(self, names: list[str], value: str, *, until_reboot: bool) -> bool:
        """Put nodes into or out of standby in one change of the CIB."""
        import copy

        root = self.session.configuration.read()
        if root is None:
            return False
        changed = copy.deepcopy(root)
        for name in names:
            if value == "on":
                _put_into_standby(changed, name, until_reboot)
            else:
                _put_online(changed, name)
        if not self._apply(root, changed):
            self.console.error("Failed to patch")
            return False
        for name in names:
            self.console.info(f"{'standby' if value == 'on' else 'online'} node {name}")
        return True

    def _apply(self, old: Element, new: Element) -> bool:
        from hatools.cib.operations import Edit
        from hatools.cib.patchset import create_patch, without_version
        from hatools.values.ciboperation import CibOperation
        from hatools.values.errors import HatoolsError

        patch = create_patch(old, new, exact_comments=True)
        if patch is None:
            return True
        try:
            with self.session.open_cib() as cib:
                cib.change(Edit(CibOperation.PATCH, update=without_version(patch)), force=True)
        except HatoolsError as error:
            self.console.error(str(error))
            return False
        return True

    @command(waits=True)
    def do_maintenance(self, context: "Context", node: str | None = None) -> bool:
        node = node or self.session.node_name
        if not self._sane(node):
            return False
        commits = not self.session.configuration.has_changed
        if not commits:
            context.info("Currently editing the CIB, changes will not be committed")
        if not self._set_attribute(node, "maintenance", "is-managed", "true"):
            self.console.error(f"Failed to update node attributes for {node}")
            return False
        if commits and not self.session.configuration.commit():
            self.console.error(f"Failed to commit updates to {node}")
            return False
        return True

    def _set_attribute(self, node: str, name: str, opposite: str, value: str) -> bool:
        """Set a node's attribute, settling what resources there and the opposite attribute say."""
        from hatools.shell.maintenance import drop_from, resources_on

        workspace = self.session.configuration.workspace
        item = workspace.find_node(node)
        if item is None:
            self.console.error("CIB is not valid!")
            return False
        item.touch()
        resources = resources_on(workspace, [node], ("primitive", "group", "clone"))
        drop_from(self.session, resources, "meta_attributes", name, opposite)
        attribute_blocks = list(children(item.node, "instance_attributes"))
        for block in attribute_blocks:
            pair = pair_named(block, opposite)
            question = f"'{opposite}' conflicts with '{name}' in {item.node.get('uname')}. Remove it?"
            if pair is not None and self.console.ask(question):
                block.remove(pair)
        drop_empty_blocks(item.node)
        for block in children(item.node, "instance_attributes"):
            pair = pair_named(block, name)
            if pair is not None:
                pair.set("value", value)
                return True
        if item.node.find("instance_attributes") is None:
            SubElement(item.node, "instance_attributes", {"id": f"nodes-{item.node.get('id')}"})
        for block in blocks(item.node, "instance_attributes"):
            set_pair(block, name, value, workspace.ids)
        return True

    @command(waits=True)
    def do_ready(self, context: "Context", node: str | None = None) -> bool:
        node = node or self.session.node_name
        argv = ("-t", "nodes", "-N", node, "-n", "maintenance", "-v", "off")
        return self._sane(node) and call("crm_attribute", *argv) == 0

    @command(waits=True)
    def do_fence(self, context: "Context", node: str) -> bool:
        if not self._sane(node):
            return False
        question = (
            f"Fencing {node} will shut down the node and migrate any resources that are running on it! "
            f"Do you want to fence {node}?"
        )
        if not self.session.preferences.flag("core", "force") and not self.console.ask(question):
            return False
        root = self.session.configuration.read()
        states = children(root.find("status"), "node_state") if root is not None else ()
        if any(state.get("uname") == node and state.get("remote_node") == "true" for state in states):
            return call("stonith_admin", "-F", node) == 0
        return call("crm_attribute", "-t", "status", "-N", node, "-n", "terminate", "-v", "true") == 0

    @command(waits=True)
    def do_clearstate(self, context: "Context", node: str | None = None) -> bool:
        node = node or self.session.node_name
        if not self._sane(node):
            return False
        question = f"Do you really want to drop state for node {node}?"
        if not self.session.preferences.flag("core", "force") and not self.console.ask(question):
            return False
        root = self.session.configuration.read()
        if root is None:
            return False
        state = next((s for s in children(root.find("status"), "node_state") if s.get("uname") == node), None)
        if state is not None and state.get("crmd") == "online":
            return call("crm_resource", "--cleanup", "--node", node) == 0
        if state is not None and state.get("in_ccm") == "true":
            self.console.warning(
                "Node is offline according to Pacemaker, but online according to corosync. "
                f"First shut down node '{node}'"
            )
            return False
        return call("stonith_admin", "--confirm", node) == 0

    @command()
    def do_delete(self, context: "Context", node: str) -> bool:
        if not self._sane(node):
            return False
        root = self.session.configuration.read()
        if root is None or node.lower() not in (name.lower() for name in names_in(root)):
            self.console.error(f"node {node} not found in the CIB")
            return False
        if not self._may_delete(node):
            return False
        if call("crm_node", "--force", "-R", node) != 0:
            answer = capture("cibadmin", ["--delete-all", "--force", "--xpath", f"//nodes/node[@uname='{node}']"])
            if answer.status != 0:
                self.console.error(f"node {node} could not be removed: {answer.err.strip()}")
                return False
        for section, element in (("nodes", "node"), ("status", "node_state")):
            if call("cibadmin", "-D", "-o", section, "-X", f'<{element} uname="{node}"/>') != 0:
                self.console.error(f"{node} removed from membership, but not from CIB!")
                return False
        self.console.info(f"node {node} deleted")
        return True

    def _may_delete(self, node: str) -> bool:
        """Say whether the node is gone, or its removal is forced."""
        answer = capture("crm_node", ["-p"])
        members = answer.out.split()
        if not members:
            self.console.error(f"crm_node -p could not list any nodes (rc={answer.status})")
        elif node in members:
            self.console.error(f"according to crm_node, node {node} is still active")
        else:
            return True
        if self.session.preferences.flag("core", "force"):
            self.console.info(f"proceeding with node {node} removal")
            return True
        return False

    # Attributes

    @command(waits=True)
    def do_attribute(self, context: "Context", node: str, cmd: str, attr: str, value: str | None = None) -> bool:
        return self._manage(context, ("-t", "nodes"), node, cmd, attr, value)

    @command(waits=True)
    def do_utilization(self, context: "Context", node: str, cmd: str, attr: str, value: str | None = None) -> bool:
        return self._manage(context, ("-z", "-t", "nodes"), node, cmd, attr, value)

    @command("status-attr", waits=True)
    def do_status_attr(self, context: "Context", node: str, cmd: str, attr: str, value: str | None = None) -> bool:
        return self._manage(context, ("-t", "status"), node, cmd, attr, value)

    def _manage(
        self, context: "Context", kind: tuple[str, ...], node: str, cmd: str, name: str, value: str | None
    ) -> bool:
        action: dict[str, tuple[str, ...]] = {"set": (), "delete": ("-D",), "show": ("-G",)}

        def run() -> int:
            argv = (*action[cmd], *kind, "-N", node, "-n", name)
            return call("crm_attribute", *argv, *(("-v", value) if value is not None else ()))

        return manage(self.session, context, (node, cmd, name, value), tuple(action), run)

    @command()
    def do_server(self, context: "Context", *nodes: str) -> bool:
        root = self.session.configuration.read()
        if root is None:
            return False
        for element in children(root.find("configuration/nodes"), "node"):
            name = element.get("uname") or element.get("id") or ""
            if nodes and name not in nodes:
                continue
            print(_server_of(root, element) or name)
        return True


def _server_of(root: Element, node: Element) -> str | None:
    """Return the address of a remote node's server, if its resource names one."""
    if node.get("type") != "remote":
        return None
    resources = root.find("configuration/resources")
    for primitive in resources.iter("primitive") if resources is not None else ():
        if primitive.get("id") == node.get("uname"):
            pair = pair_named(primitive.find("instance_attributes"), "server")
            return pair.get("value") if pair is not None else None
    return None


def _as_data(element: Element, state: Element | None) -> dict[str, object]:
    """Return a node as JSON has it."""

    def pairs(tag: str) -> dict[str, str]:
        found = (pair for block in children(element, tag) for pair in children(block, "nvpair"))
        return {pair.get("name") or "": pair.get("value") or "" for pair in found}

    return {
        "name": element.get("uname") or "",
        "id": element.get("id") or "",
        "type": element.get("type") or "member",
        "online": state is not None and state.get("crmd") == "online",
        "attributes": pairs("instance_attributes"),
        "utilization": pairs("utilization"),
    }


def _print_node(element: Element, is_offline: bool) -> None:
    from hatools.parser.printer import quoted

    uname, identifier = element.get("uname") or "", element.get("id") or ""
    head = uname if uname == identifier else f"{uname}({identifier})"
    print(f"{head}: {element.get('type') or 'member'}{'(offline)' if is_offline else ''}")
    for name, value in element.items():
        if name not in ("type", "uname", "id"):
            print(f"\t{name}: {value}")
    for block in children(element, "instance_attributes"):
        pairs = [
            f"{pair.get('name')}={quoted(pair.get('value') or '')}"
            if pair.get("value") is not None
            else pair.get("name") or ""
            for pair in children(block, "nvpair")
        ]
        print("\t" + " ".join(pairs))


def _standby_pairs(root: Element, identifier: str | None) -> tuple[list[tuple[Element, Element]], ...]:
    """Return (block, pair) of a node's lasting and of its transient standby."""
    lasting, transient = [], []
    for node in children(root.find("configuration/nodes"), "node"):
        if node.get("id") == identifier:
            for block in children(node, "instance_attributes"):
                lasting += [(block, pair) for pair in children(block, "nvpair") if pair.get("name") == "standby"]
    for state in children(root.find("status"), "node_state"):
        if state.get("id") == identifier:
            for holder in children(state, "transient_attributes"):
                for block in children(holder, "instance_attributes"):
                    transient += [(block, pair) for pair in children(block, "nvpair") if pair.get("name") == "standby"]
    return lasting, transient


def _put_into_standby(root: Element, name: str, until_reboot: bool) -> None:
    from hatools.parser.identities import IdStore

    holders = (
        children(root.find("status"), "node_state")
        if until_reboot
        else children(root.find("configuration/nodes"), "node")
    )
    for holder in list(holders):
        if holder.get("uname") != name:
            continue
        lasting, transient = _standby_pairs(root, holder.get("id"))
        own, other = (transient, lasting) if until_reboot else (lasting, transient)
        for block, pair in other:
            block.remove(pair)
        if own:
            own[0][1].set("value", "on")
            continue
        ids = IdStore()
        for element in root.iter():
            if isinstance(element.tag, str):
                ids.save(element.get("id"))
        outer = blocks(holder, "transient_attributes", ids)[0] if until_reboot else holder
        set_pair(blocks(outer, "instance_attributes", ids)[0], "standby", "on", ids)


def _put_online(root: Element, name: str) -> None:
    identifiers = {
        element.get("id")
        for path, tag in (("configuration/nodes", "node"), ("status", "node_state"))
        for element in children(root.find(path), tag)
        if element.get("uname") == name
    }
    for identifier in identifiers:
        for pairs in _standby_pairs(root, identifier):
            for _, pair in pairs:
                pair.set("value", "off")
