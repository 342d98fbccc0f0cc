"""What decided about one primitive: the cause, its evidence, and what would change it. Pure."""

from collections.abc import Iterator

from hatools.scheduler import remedies
from hatools.scheduler.arithmetic import (
    INSIDE_GROUP,
    are_alike,
    arithmetic,
    outer_colocations,
    places_of,
    score_reasons,
    with_parents,
)
from hatools.scheduler.model.action import Action
from hatools.scheduler.model.constraint import Colocation, Ordering
from hatools.scheduler.model.node import Discovery, Node
from hatools.scheduler.model.reason import Cause, Explanation, Reason, ScoreReason
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.options import QuorumPolicy
from hatools.scheduler.plan import Plan
from hatools.values.boolean import is_true
from hatools.values.records import replace
from hatools.values.role import Role, format_role
from hatools.values.score import INFINITY

__all__ = ["Explainer"]


class Explainer:
    """Explains one primitive."""

    def __init__(self, plan: Plan, resource: Resource) -> None:
        self.plan = plan
        self.resource = resource

    # -- answers

    def anywhere(self) -> list[Explanation]:
        """Explain where the resource will be, or why it will not run."""
        general = self._general()
        node = self.resource.assigned_to
        if node is None:
            if general:
                return general
            return self._limits() or self._nowhere()
        start = self._start(node)
        if start is not None and not start.runnable:
            return general + self._unrunnable(start, node)
        if not self.resource.managed:
            return general
        return [*general, self._placed(node), *self._promotion(node)]

    def on(self, node: Node) -> list[Explanation]:
        """Explain why the resource will be on a node, or why not."""
        if self.resource.assigned_to is node:
            return self.anywhere()
        obstacles = self._general() + self._obstacles(node)
        return obstacles or [*self._limits(), self._less_wanted(node)]

    # -- what does not depend on a node

    def _say(
        self, cause: Cause, evidence: str, text: str, suggestion: str = "", node: Node | None = None
    ) -> Explanation:
        return Explanation(self.resource.id, cause, evidence, text, None if node is None else node.name, suggestion)

    def _general(self) -> list[Explanation]:
        plan, resource = self.plan, self.resource
        name = resource.xml_id
        if resource.orphan:
            return [
                self._say(
                    Cause.ORPHAN, name, f"{resource.id} is not configured any more", f"crm_resource --cleanup -r {name}"
                )
            ]
        if plan.options.fencing_enabled and not plan.have_fencing_resource:
            return [
                self._say(
                    Cause.FENCING,
                    "stonith-enabled",
                    "nothing is started because fencing is enabled but no fencing device is configured "
                    "(it is better to configure one: crm ra list stonith)",
                    "crm configure property stonith-enabled=false",
                )
            ]
        lines = list(self._wanted_stopped())
        if plan.options.stop_all:
            command = "crm configure property stop-all-resources=false"
            lines.append(self._say(Cause.TARGET_ROLE, "stop-all-resources", "all resources are to be stopped", command))
        if not resource.managed:
            lines.append(self._unmanaged())
        return lines

    def _wanted_stopped(self) -> Iterator[Explanation]:
        # Parts inherit what is said of the whole.
        for each in reversed(list(with_parents(self.resource))):
            wanted = each.meta.get("target-role", "")
            if wanted.lower() == "stopped":
                yield self._say(
                    Cause.TARGET_ROLE,
                    f"target-role={wanted}",
                    f"{each.xml_id} is meant to be stopped",
                    f"crm resource start {each.xml_id}",
                )
                return

    def _unmanaged(self) -> Explanation:
        resource = self.resource
        if resource.blocked:
            for reason in self._recorded(None):
                if reason.cause in (Cause.BLOCKED, Cause.FAILURE):
                    command = remedies.clear_failures(resource)
                    return self._say(Cause.BLOCKED, reason.evidence, f"{resource.id}: {reason.text}", command)
                if reason.cause is Cause.TICKET:
                    command = remedies.grant(self.plan, reason.evidence)
                    return self._say(Cause.TICKET, reason.evidence, f"{resource.id} is {reason.text}", command)
        if self.plan.options.maintenance:
            command = "crm configure property maintenance-mode=false"
            return self._say(Cause.UNMANAGED, "maintenance-mode", "the cluster is in maintenance mode", command)
        for each in with_parents(resource):
            if is_true(each.meta.get("maintenance")):
                command = f"crm resource maintenance {each.xml_id} off"
                return self._say(Cause.UNMANAGED, "maintenance", f"{each.xml_id} is in maintenance", command)
        for node in resource.running_on:
            if node.maintenance:
                text = f"{resource.id} is on {node.name}, which is in maintenance"
                return self._say(Cause.UNMANAGED, node.name, text, f"crm node ready {node.name}", node)
        text = f"{resource.id} is not managed, the cluster leaves it alone"
        return self._say(Cause.UNMANAGED, "is-managed", text, f"crm resource manage {remedies.outermost(resource)}")

    def _recorded(self, node: Node | None) -> list[Reason]:
        """Return what was recorded about the resource, or its parents, that holds for a node."""
        found = []
        for each in with_parents(self.resource):
            for reason in self.plan.reasons.resources.get(each.id, ()):
                if node is None or reason.node is None or reason.node == node.name:
                    found.append(reason)
        return found

    def _limits(self) -> list[Explanation]:
        resource = self.resource
        clone = next((each for each in with_parents(resource) if each.is_clone), None)
        if clone is None:
            return []
        command = remedies.more_instances(clone)
        for reason in self._recorded(None):
            if reason.cause is Cause.CLONE_LIMIT:
                return [self._say(reason.cause, reason.evidence, reason.text, command)]
        placed = [each for each in clone.children if any(part.assigned_to is not None for part in each.descendants())]
        if clone.clone_data is not None and len(placed) == len(clone.children) >= clone.clone_data.clone_max:
            limit = clone.clone_data.clone_max
            text = f"all {limit} instances of {clone.xml_id} are somewhere else"
            return [self._say(Cause.CLONE_LIMIT, f"clone-max={limit}", text, command)]
        return []

    def _nowhere(self) -> list[Explanation]:
        lines = []
        for node in self.plan.nodes:
            obstacles = self._obstacles(node)
            lines += obstacles[:1] if obstacles else []
        common = [line for line in lines if line.node is None]
        if common:
            # What holds everywhere is said once.
            return list(dict.fromkeys(common))
        if lines:
            return list(dict.fromkeys(lines))
        return [self._say(Cause.NOT_ALLOWED, "", f"{self.resource.id} may not run on any node")]

    # -- nodes

    def _obstacles(self, node: Node) -> list[Explanation]:
        """Return what keeps the resource from a node, the most decisive first; nothing if it may be there."""
        found = list(self._node_state(node))
        entry = self.resource.allowed.get(node)
        if entry is None:
            found.append(self._not_allowed(node))
        elif entry.score < 0:
            found += self._bans(node) or self._full(node) or ([] if found else [self._negative(node)])
        return found

    def _full(self, node: Node) -> list[Explanation]:
        """Say so if a node has as many instances of the clone as it may have."""
        clone = next((each for each in with_parents(self.resource) if each.is_clone), None)
        if clone is None or clone.clone_data is None:
            return []
        limit = clone.clone_data.clone_node_max
        here = sum(node in each.assigned_nodes() for each in clone.children)
        if here < limit:
            return []
        text = f"{node.name} has {here} of at most {limit} instances of {clone.xml_id}"
        command = remedies.more_per_node(clone)
        return [self._say(Cause.CLONE_LIMIT, f"clone-node-max={limit}", text, command, node)]

    def _node_state(self, node: Node) -> Iterator[Explanation]:
        name = node.name
        for reason in self.plan.reasons.nodes.get(name, ()):
            yield self._say(Cause.FENCING, reason.evidence, reason.text, f"crm cluster start {name}", node)
            return
        if node.pending:
            yield self._say(Cause.NODE_STATE, name, f"{name} is still joining the cluster", "", node)
        elif node.shutdown:
            yield self._say(Cause.NODE_STATE, name, f"{name} is shutting down", f"crm cluster start {name}", node)
        elif not node.online:
            yield self._say(Cause.NODE_STATE, name, f"{name} is offline", f"crm cluster start {name}", node)
        elif node.unclean:
            text = f"{name} is in an unknown state until it is fenced"
            yield self._say(Cause.FENCING, name, text, f"stonith_admin --confirm {name}", node)
        elif node.standby_on_fail:
            text = f"{name} is in standby because of a failure"
            yield self._say(Cause.FAILURE, name, text, remedies.clear_node_failures(self.plan, node), node)
        elif node.standby:
            yield self._say(Cause.NODE_STATE, name, f"{name} is in standby", f"crm node online {name}", node)

    def _not_allowed(self, node: Node) -> Explanation:
        resource = self.resource
        if not self.plan.options.symmetric:
            command = remedies.allow_on(resource, node)
            text = f"no location allows {resource.id} on {node.name}"
            return self._say(Cause.NOT_ALLOWED, "symmetric-cluster=false", text, command, node)
        return self._say(Cause.NOT_ALLOWED, node.name, f"{resource.id} cannot run on {node.name}", "", node)

    def _bans(self, node: Node) -> list[Explanation]:
        lines = [self._recorded_ban(reason, node) for reason in self._recorded(node) if reason.cause in _BANNING]
        for reason in score_reasons(self.plan, self.resource, node):
            if reason.score <= -INFINITY:
                lines.append(self._location_ban(reason, node))
        lines += self._colocation_bans(node)
        entry = self.resource.allowed[node]
        exclusive = any(each.exclusive_discovery for each in with_parents(self.resource))
        if exclusive and entry.discovery is not Discovery.EXCLUSIVE:
            text = f"only nodes with exclusive discovery may run {self.resource.id}"
            lines.append(self._say(Cause.LOCATION, "resource-discovery=exclusive", text, "", node))
        return lines

    def _recorded_ban(self, reason: Reason, node: Node) -> Explanation:
        name = self.resource.xml_id
        place = node if reason.node is not None else None
        match reason.cause:
            case Cause.TICKET:
                command = remedies.grant(self.plan, reason.evidence)
                return self._say(reason.cause, reason.evidence, reason.text, command, place)
            case Cause.FAILURE:
                text = f"{name} {reason.text}"
                return self._say(reason.cause, reason.evidence, text, remedies.clear_failures(self.resource), place)
            case Cause.UTILIZATION:
                text = f"{node.name} has not enough capacity left for {name}"
                return self._say(reason.cause, node.name, text, remedies.fit(self.resource, node), place)
            case Cause.SHUTDOWN_LOCK:
                command = f"crm resource refresh {name} {reason.evidence}"
                return self._say(reason.cause, reason.evidence, f"{name} is {reason.text}", command, place)
        return self._say(reason.cause, reason.evidence, reason.text, "", place)

    def _location_ban(self, reason: ScoreReason, node: Node) -> Explanation:
        name, evidence = self.resource.xml_id, reason.evidence
        if evidence in _HEALTH_STRATEGIES:
            return self._say(Cause.HEALTH, evidence, f"{node.name} is not healthy", remedies.heal(node), node)
        if evidence.startswith("cli-"):
            command = remedies.clear_preference(evidence, node)
        else:
            command = f"crm configure delete {reason.constraint or evidence}"
        role = "" if reason.role is None else f" as {reason.role}"
        text = f"{evidence} keeps {name}{role} off {node.name}"
        return self._say(Cause.LOCATION, evidence, text, command, node)

    def _colocation_bans(self, node: Node) -> list[Explanation]:
        lines = []
        for colocation in outer_colocations(self.resource):
            other = colocation.primary
            places = places_of(other, colocation.primary_role)
            if colocation.score >= INFINITY and not places:
                lines.append(self._colocated_with_stopped(colocation))
            elif colocation.score >= INFINITY and not any(are_alike(node, place, colocation) for place in places):
                names = ", ".join(place.name for place in places)
                text = f"{self.resource.id} has to be with {other.xml_id}, which is on {names}"
                lines.append(self._colocation(colocation, text, node))
            elif colocation.score <= -INFINITY and any(are_alike(node, place, colocation) for place in places):
                text = f"{self.resource.id} must not be with {other.xml_id}, which is on {node.name}"
                lines.append(self._colocation(colocation, text, node))
        return lines

    def _colocated_with_stopped(self, colocation: Colocation) -> Explanation:
        resource, other = self.resource, colocation.primary
        if colocation.id == INSIDE_GROUP:
            text = f"{other.xml_id}, which comes before {resource.id} in its group, does not run"
            return self._say(Cause.DEPENDENCY, other.xml_id, text, f"crm resource why {other.xml_id}")
        role = "" if colocation.primary_role <= Role.STARTED else f" as {format_role(colocation.primary_role)}"
        text = f"{resource.id} has to be with {other.xml_id}{role}, which is nowhere"
        return self._say(Cause.COLOCATION, colocation.id, text, f"crm resource why {other.xml_id}")

    def _colocation(self, colocation: Colocation, text: str, node: Node) -> Explanation:
        if colocation.id == INSIDE_GROUP:
            return self._say(Cause.DEPENDENCY, colocation.primary.xml_id, text, "", node)
        return self._say(Cause.COLOCATION, colocation.id, text, f"crm configure delete {colocation.id}", node)

    def _negative(self, node: Node) -> Explanation:
        text = f"{self.resource.id} rather does not run on {node.name}: {arithmetic(self.plan, self.resource, node)}"
        cause = Cause.LOCATION if score_reasons(self.plan, self.resource, node) else Cause.COLOCATION
        evidence = next(
            (reason.evidence for reason in score_reasons(self.plan, self.resource, node) if reason.score < 0), node.name
        )
        return self._say(cause, evidence, text, "", node)

    def _placed(self, node: Node) -> Explanation:
        resource = self.resource
        verb = "stays on" if node in resource.running_on else "goes to"
        for colocation in outer_colocations(resource):
            if self._decides(colocation, node):
                text = f"{resource.id} {verb} {node.name}, as it has to be with {colocation.primary.xml_id}"
                return replace(self._colocation(colocation, text, node), suggestion="")
        others = [
            f"{other.name}: {arithmetic(self.plan, self.resource, other)}"
            for other in self.plan.nodes
            if other is not node and other in resource.allowed and not self._obstacles(other)
        ]
        text = f"{resource.id} {verb} {node.name}: {arithmetic(self.plan, self.resource, node)}"
        if others:
            text += f" (instead of {'; '.join(others)})"
        reasons = score_reasons(self.plan, self.resource, node)
        cause = max(reasons, key=lambda reason: reason.score).cause if reasons else Cause.LOCATION
        evidence = max(reasons, key=lambda reason: reason.score).evidence if reasons else "no preference"
        return self._say(cause, evidence, text, "", node)

    def _decides(self, colocation: Colocation, node: Node) -> bool:
        """Say whether a colocation leaves the resource no other place than a node."""
        places = places_of(colocation.primary, colocation.primary_role)
        applies = colocation.dependent_role in (Role.UNKNOWN, Role.STARTED, self.resource.next_role)
        return (
            colocation.score >= INFINITY
            and applies
            and bool(places)
            and all(are_alike(node, place, colocation) for place in places)
        )

    def _less_wanted(self, node: Node) -> Explanation:
        resource, chosen = self.resource, self.resource.assigned_to
        text = f"{resource.id} could be on {node.name}: {arithmetic(self.plan, self.resource, node)}"
        command = f"crm resource move {remedies.outermost(resource)} {node.name}"
        if chosen is None:
            return self._say(Cause.DEPENDENCY, resource.id, text, "", node)
        text += f", but {chosen.name} is better: {arithmetic(self.plan, self.resource, chosen)}"
        reasons = score_reasons(self.plan, self.resource, chosen)
        if not reasons:
            return self._say(Cause.LOCATION, "no preference", text, command, node)
        best = max(reasons, key=lambda reason: reason.score)
        return self._say(best.cause, best.evidence, text, command, node)

    # -- actions

    def _start(self, node: Node) -> Action | None:
        for action in self.resource.actions:
            if action.task == "start" and action.node is node and not (action.optional and self.resource.running_on):
                return action
        return None

    def _unrunnable(self, start: Action, node: Node) -> list[Explanation]:
        if not self.plan.have_quorum and start.reason in ("no quorum", "quorum freeze"):
            policy = self.plan.options.quorum_policy
            text = f"{self.resource.id} cannot be started without quorum; the way out is to bring nodes back"
            command = "crm configure property no-quorum-policy=ignore"
            return [self._say(Cause.QUORUM, f"no-quorum-policy={policy.value}", text, command, node)]
        lines = []
        for link in start.newest_before():
            first = link.action
            if first.runnable or first.resource is None or first.resource is self.resource:
                continue
            ordering = self._ordering(first.resource)
            name = first.resource.xml_id
            text = f"{self.resource.id} waits for {first.task} of {name}, which cannot run"
            if ordering is None or not ordering.constraint:
                line = self._say(Cause.DEPENDENCY, first.key, text, f"crm resource why {name}", node)
            else:
                line = self._say(Cause.ORDERING, ordering.constraint, text, f"crm resource why {name}", node)
            lines.append(line)
        if lines:
            return list(dict.fromkeys(lines))
        text = f"{self.resource.id} cannot be started on {node.name}"
        return [self._say(Cause.BLOCKED, start.reason or start.key, text, "", node)]

    def _ordering(self, first: Resource) -> Ordering | None:
        before, after = list(with_parents(first)), list(with_parents(self.resource))
        for ordering in self.plan.orderings:
            if ordering.constraint and ordering.first_resource in before and ordering.then_resource in after:
                return ordering
        return None

    def _promotion(self, node: Node) -> Iterator[Explanation]:
        """Say why an instance of a promotable clone is not promoted."""
        resource = self.resource
        clone = next((each for each in with_parents(resource) if each.promotable and each.is_clone), None)
        if clone is None or resource.next_role is Role.PROMOTED:
            return
        name = clone.xml_id
        if not self.plan.have_quorum and self.plan.options.quorum_policy is not QuorumPolicy.IGNORE:
            policy = self.plan.options.quorum_policy.value
            text = f"{resource.id} is not promoted without quorum; the way out is to bring nodes back"
            command = "crm configure property no-quorum-policy=ignore"
            yield self._say(Cause.QUORUM, f"no-quorum-policy={policy}", text, command, node)
            return
        for reason in self._recorded(node):
            if reason.cause is Cause.TICKET:
                command = remedies.grant(self.plan, reason.evidence)
                yield self._say(reason.cause, reason.evidence, reason.text, command, node)
                return
        promoted = [each for each in clone.descendants() if each.is_primitive and each.next_role is Role.PROMOTED]
        if promoted:
            places = ", ".join(each.assigned_to.name for each in promoted if each.assigned_to is not None)
            text = f"{name} is promoted on {places}"
            yield self._say(Cause.CLONE_LIMIT, "promoted-max", text, remedies.more_promoted(clone), node)
        else:
            text = f"no promotion score of {resource.xml_id} is known for {node.name}"
            command = remedies.promote_on(resource, node)
            yield self._say(Cause.PROMOTION, f"master-{resource.xml_id}", text, command, node)


_HEALTH_STRATEGIES = ("migrate-on-red", "only-green", "progressive", "custom")
_BANNING = (Cause.TICKET, Cause.FAILURE, Cause.UTILIZATION, Cause.SHUTDOWN_LOCK)
