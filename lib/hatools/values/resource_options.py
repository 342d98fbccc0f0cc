"""Meta-attributes of resources and options of operations, for help and completion. Pure.

Sources: "Pacemaker Explained", chapters Resources, Operations, Clones, Groups, Bundles.
"""

from hatools.values.options import OptionMeaning

RESOURCE_META = (
    OptionMeaning(
        "priority",
        "score",
        "0",
        "If not all resources can be active, lower priority resources are stopped to keep higher ones active",
    ),
    OptionMeaning(
        "critical",
        "boolean",
        "true",
        "Whether colocations with this resource influence where the resources it depends on are placed",
    ),
    OptionMeaning(
        "target-role",
        "select",
        "Started",
        "State the cluster should try to keep this resource in",
        choices=("Stopped", "Started", "Unpromoted", "Promoted"),
    ),
    OptionMeaning("is-managed", "boolean", "true", "Whether the cluster may start and stop the resource"),
    OptionMeaning("maintenance", "boolean", "false", "If true, the resource is neither managed nor monitored"),
    OptionMeaning("resource-stickiness", "score", None, "How much the resource prefers to stay where it is"),
    OptionMeaning(
        "requires",
        "select",
        None,
        "What the cluster needs before it may start the resource",
        "The default is fencing if fencing is enabled, quorum otherwise, and nothing for fence devices.",
        choices=("nothing", "quorum", "fencing", "unfencing"),
    ),
    OptionMeaning(
        "migration-threshold",
        "score",
        "INFINITY",
        "Number of failures on a node after which the node may not host the resource any more",
    ),
    OptionMeaning("failure-timeout", "duration", "0", "After how long without failure the failures are forgotten"),
    OptionMeaning(
        "multiple-active",
        "select",
        "stop_start",
        "What to do when the resource is active on more than one node",
        choices=("block", "stop_only", "stop_start", "stop_unexpected"),
    ),
    OptionMeaning("allow-migrate", "boolean", None, "Whether to move the resource live if its agent can"),
    OptionMeaning(
        "allow-unhealthy-nodes", "boolean", "false", "Whether the resource may run on a node that its health bans"
    ),
    OptionMeaning("container-attribute-target", "string", None, "Where bundled resources keep their node attributes"),
    OptionMeaning("remote-node", "string", None, "Name of the guest node this resource represents, if any"),
    OptionMeaning("remote-port", "integer", "3121", "Port of the guest node's pacemaker_remote"),
    OptionMeaning("remote-addr", "string", None, "Address of the guest node; default is the value of remote-node"),
    OptionMeaning("remote-connect-timeout", "duration", "60s", "How long to wait for a guest node's connection"),
)

CLONE_META = (
    OptionMeaning("clone-max", "integer", None, "How many instances; default is the number of nodes"),
    OptionMeaning("clone-node-max", "integer", "1", "How many instances may be active on one node"),
    OptionMeaning("clone-min", "integer", "0", "How many instances must run before dependent resources may start"),
    OptionMeaning("notify", "boolean", "false", "Call the agents of all instances before and after changes"),
    OptionMeaning("globally-unique", "boolean", "false", "Whether each instance does something different"),
    OptionMeaning("ordered", "boolean", "false", "Whether instances start one after the other"),
    OptionMeaning(
        "interleave", "boolean", "false", "Whether orderings between clones hold per node instead of overall"
    ),
    OptionMeaning("promotable", "boolean", "false", "Whether instances can be promoted"),
    OptionMeaning("promoted-max", "integer", "1", "How many instances may be promoted at the same time"),
    OptionMeaning("promoted-node-max", "integer", "1", "How many instances may be promoted on one node"),
)

GROUP_META = (
    OptionMeaning("ordered", "boolean", "true", "Whether members start one after the other"),
    OptionMeaning("collocated", "boolean", "true", "Whether members run on the same node"),
)

OPERATION_OPTIONS = (
    OptionMeaning("id", "string", None, "Unique name of the operation in the configuration"),
    OptionMeaning("name", "string", None, "The action to perform"),
    OptionMeaning("interval", "duration", "0", "How often to repeat the action; 0 means that it is not repeated"),
    OptionMeaning("timeout", "duration", "20s", "How long to wait before the action counts as failed"),
    OptionMeaning(
        "on-fail",
        "select",
        None,
        "What to do when the action fails",
        "The default is restart, for stop fence if fencing is enabled and block otherwise.",
        choices=("ignore", "block", "stop", "demote", "restart", "fence", "standby", "restart-container"),
    ),
    OptionMeaning("enabled", "boolean", "true", "If false, the operation is treated as if it did not exist"),
    OptionMeaning("record-pending", "boolean", "true", "Whether to record that the action has been started"),
    OptionMeaning(
        "role",
        "select",
        None,
        "Run the action only on nodes where the resource should be in this role",
        choices=("Stopped", "Started", "Unpromoted", "Promoted"),
    ),
    OptionMeaning("interval-origin", "string", None, "A moment from which the repetitions are counted"),
    OptionMeaning("start-delay", "duration", "0", "How long to wait before the action is run the first time"),
    OptionMeaning("OCF_CHECK_LEVEL", "integer", None, "How thoroughly a monitor checks"),
)
