"""What the original's log says besides the text of a finding. Pure data.

Its lines begin with the name of the function that wrote them, and some of them count as faults of the configuration
(``crm_verify`` fails for those). Both are looked up by a piece of the text, so that the scheduler's findings keep
their own names.
"""

__all__ = ["counts_as_fault", "function_of"]

_FAULTS = (
    ("action cannot be recurring", "is_recurring_history"),
    ("is not a valid role", "is_recurring_history"),
    ("Ignoring resource history entry without ID", "is_recurring_history"),
    ("is duplicate of", "is_op_dup"),
    ("Cannot promote non-colocated child", "set_instance_priority"),
    ("requires 'replicas-per-host=1'", "valid_network"),
    ("without either ip-range-start or control-port", "pe__unpack_bundle"),
    ("Failed unpacking resource", "pe__unpack_bundle"),
    ("Invalid port directive", "pe__unpack_bundle"),
    ("Invalid mount directive", "pe__unpack_bundle"),
    ("Support for 'lifetime' attribute", "pcmk__unpack_constraints"),
    ("Unsupported constraint type", "pcmk__unpack_constraints"),
    ("constraint without id", "pcmk__unpack_constraints"),
    ("because it conflicts with on-fail=block", "pe_get_failcount"),
    ("Detected active orphan", "process_rsc_state"),
    ("must be stopped manually on", "process_rsc_state"),
    (": Bad role", "unpack_rsc_location"),
    ("no score specified.  Assuming 0.", "get_node_score"),
    ("Bad role specified for", "generate_location_rule"),
    ("because it contains no rules", "unpack_rsc_location"),
    ("because rsc-pattern has invalid value", "unpack_simple_location"),
    ("Invalid resource-discovery value", "pcmk__new_location"),
    ("Ignoring resource_set without id in constraint", "unpack_location_set"),
    ("Duplicate lrm_rsc_op entries named", "pe__is_newer_op"),
    ("Using default value for cluster option", "cluster_option_value"),
    ("Support for stonith-action of 'poweroff'", "unpack_config"),
    ("Support for the remove-after-stop", "unpack_config"),
    ("Resetting no-quorum-policy to 'stop' because", "unpack_config"),
    ("More than one node entry has name", "pe_create_node"),
    ("has unrecognized type", "pe_create_node"),
    ("Support for nodes of type 'ping'", "pe_create_node"),
    ("Ignoring recorded node state for", "unpack_node_state"),
    ("Ignoring <node> entry in configuration without id", "unpack_nodes"),
    ("Support for role_after_failure", "unpack_operation"),
    ("Unknown failure type", "unpack_operation"),
    ("is not valid when fencing is disabled", "unpack_operation"),
    ("Resetting 'on-fail' for", "unpack_operation_on_fail"),
    ("Ignoring 'interval-origin' for operation", "unpack_interval_origin"),
    ("Support for require-all in ordering", "get_minimum_first_instances"),
    ("Support for 'score' in rsc_order", "get_ordering_type"),
    ("Resetting 'kind' for constraint", "get_ordering_type"),
    ("Support for first-instance and then-instance", "get_ordering_resource"),
    ("Ignoring symmetrical for", "get_ordering_symmetry"),
    ("Cannot invert constraint", "inverse_ordering"),
    ("has invalid value for influence", "unpack_influence"),
    ("The colocation constraint 'symmetrical' attribute", "unpack_simple_colocation"),
    ("Resource history contains cancellation", "unpack_rsc_op"),
    ("because two templates or tags cannot be colocated", "unpack_colocation_tags"),
    ("Ignoring resource sets for constraint", "pcmk__expand_tags_in_sets"),
    ("is not a valid resource or tag", "unpack_location_tags"),
    (": No resource found for", "unpack_location_set"),
    ("without ticket", "pcmk__unpack_rsc_ticket"),
    ("without resource", "unpack_simple_rsc_ticket"),
    ("Resetting 'loss-policy' for ticket", "rsc_ticket_new"),
    ("Support for rsc-instance", "unpack_simple_rsc_ticket"),
    ("-instance is deprecated", "unpack_simple_colocation"),
    ("Ignoring <resource_set> without id", "unpack_rsc_ticket_set"),
    ("' without ", "get_ordering_resource"),
    ("should not reference itself", "unpack_template"),
    ("No template named", "unpack_template"),
    ("since no STONITH resources have been defined", "unpack_resources"),
    ("Either configure some or disable STONITH", "unpack_resources"),
    ("NOTE: Clusters with shared data need STONITH", "unpack_resources"),
    ("resource without ID", "unpack_resources"),
    ("because configuration is invalid", "unpack_resources"),
    ("of unknown type", "pe__unpack_resource"),
    ("Support for restart-type", "pe__unpack_resource"),
    ("is not a valid value for multiple-active", "pe__unpack_resource"),
    ("migration-threshold must be non-negative", "pe__unpack_resource"),
    ("Resetting 'requires' for", "unpack_requires"),
    ('Resetting "requires" for', "unpack_requires"),
    ("requires fencing but fencing is disabled", "unpack_requires"),
    ("cannot be used as a promotable clone resource", "native_unpack"),
    ("can be used only as anonymous clones", "pe__force_anon"),
    ("group meta-attribute is deprecated", "set_group_flag"),
    ("because it does not have any members", "group_unpack"),
    ("has nothing to clone", "clone_unpack"),
    ("Ignoring promoted-max for", "clone_unpack"),
    ("Unknown resource container", "setup_container"),
    ("Unknown role: ", "text2role"),
    ("Ignoring 'target-role' for", "get_target_role"),
    ("Ignoring <tag> without id", "unpack_tags"),
    ("Ignoring <obj_ref> for tag", "unpack_tags"),
    ("Cannot interleave", "pcmk__clone_apply_coloc_score"),
    ("Clone ", "clone_create_probe"),
    ("Cannot perform mandatory colocation", "colocate_with_group"),
    ("Scheduling node", "schedule_fencing"),
    ("Resource functionality and data integrity cannot be guaranteed", "schedule_fencing_and_shutdowns"),
    ("is unclean but cannot be fenced", "schedule_fencing_and_shutdowns"),
)
"""Pieces of findings that count as faults, with the function that finds them; the first that fits decides."""

_REMARKS = (
    ("CIB did not pass schema validation", "main"),
    ("Transition 0 (", "pcmk__execute_graph"),
    ("No further recovery can be attempted for", "check_recoverable"),
    ("Preventing ", "unpack_rsc_op"),
    ("might be active on", "pcmk__primitive_create_actions"),
    ("Resource_is_Too_Active", "pcmk__primitive_create_actions"),
    ("Forcing recovery of", "pcmk__primitive_create_actions"),
    ("can be unfenced", "stop_resource"),
    ("Next role ", "create_notify_actions"),
    ("Scheduling clean-up of", "pcmk__schedule_cleanup"),
    ("Forcing restart of", "pcmk__rsc_agent_changed"),
    ("No fencing will be done until", "schedule_fencing_and_shutdowns"),
    ("Unclean nodes will not be fenced until", "schedule_fencing_and_shutdowns"),
    ("Stop of failed resource", "order_stop_vs_fencing"),
    ("recurring monitors for Stopped role are not supported", "recurring_op_for_inactive"),
    ("Invalid ordering constraint between", "ordering_is_invalid"),
    ("is unrunnable because there is no", "order_resource_actions_after"),
    ("due to reaching migration threshold", "pcmk__threshold_reached"),
    ("cannot be promoted without quorum", "set_instance_role"),
    ("will be left promoted on", "node_to_be_promoted_on"),
    ("cannot be elevated from", "pcmk__primitive_assign"),
    ("Clearing failure of", "pe__clear_failcount"),
    ("because they're in our membership", "pe_can_fence"),
    ("Unfencing Pacemaker Remote node", "pe_fence_op"),
    ("Not fencing guest node", "pe_fence_node"),
    ("Not fencing remote node", "pe_fence_node"),
    ("Guest node ", "pe_fence_node"),
    ("Cluster node ", "pe_fence_node"),
    ("Remote node ", "pe_fence_node"),
    ("has multiple (orphan) instance histories", "find_anonymous_clone"),
    ("Blind faith: not fencing unseen nodes", "unpack_config"),
    ("Fencing and resource management disabled due to lack of quorum", "cluster_status"),
    ("On loss of quorum", "unpack_config"),
    ("cluster has never had quorum", "unpack_config"),
    (" is unclean", "determine_online_status"),
    ("Ignoring malformed node_state entry", "unpack_node_state"),
    ("Ignoring malformed lrm_resource entry", "unpack_lrm_resource"),
    ("disabling resource discovery is not allowed for cluster nodes", "unpack_transient_attributes"),
    ("attribute on Pacemaker Remote node", "unpack_handle_remote_attrs"),
    ("specified in order constraint", "invert_action"),
    ("Unexpected result (", "unpack_rsc_op_failure"),
    ("will not be started under current conditions", "unpack_rsc_op_failure"),
    ("see the resource-discovery option", "unpack_rsc_op_failure"),
    ("Expected result not found for", "check_recoverable"),
    ("Treating probe result", "unpack_rsc_op"),
    ("Pretending failed", "unpack_rsc_op"),
    ("Ignoring expired", "unpack_rsc_op"),
    ("Rescheduling ", "unpack_rsc_op"),
    ("Cannot ignore failed", "unpack_rsc_op"),
    ("No template or tag named", "find_constraint_tag"),
    ("No resource is ", "find_constraint_tag"),
    ("Cannot pair", "pcmk__clone_apply_coloc_score"),
    ("node not allowed", "can_run_instance"),
    ("which isn't allowed", "distribute_children"),
    ("must be colocated with", "pcmk__colocation_affects"),
    ("must be anti-colocated but are", "pcmk__colocation_affects"),
)
"""Pieces of findings that count as nothing, with the function that finds them."""

_BY_SEVERITY = (
    ("does not exist", {"warning": "unpack_rsc_location", "error": "unpack_simple_colocation"}),
    ("does not have an instance", {"warning": "unpack_simple_colocation", "error": "get_ordering_resource"}),
    ("is not a clone but instance", {"warning": "unpack_simple_colocation", "error": "unpack_simple_colocation"}),
)
"""Faults that several functions find in the same words."""


def function_of(severity: str, text: str) -> str | None:
    """Return the name of the original's function that logs a finding; None if that is not known."""
    for piece, functions in _BY_SEVERITY:
        if piece in text:
            return functions.get(severity)
    for piece, function in (*_FAULTS, *_REMARKS):
        if piece in text:
            return function
    return None


def counts_as_fault(severity: str, text: str) -> bool:
    """Say whether a finding is a fault of the configuration."""
    if severity not in ("error", "warning"):
        return False
    return any(piece in text for piece, _ in _BY_SEVERITY) or any(piece in text for piece, _ in _FAULTS)
