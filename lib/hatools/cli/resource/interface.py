"""The options of ``crm_resource``. Pure."""

from hatools.cli.options import Group, Option, Program

_QUERIES = Group(
    "queries",
    "Queries:",
    "Show query help",
    (
        Option(
            "list",
            "L",
            "List all cluster resources with status",
        ),
        Option(
            "list-raw",
            "l",
            "List IDs of all instantiated resources (individual members\nrather than groups etc.)",
        ),
        Option(
            "list-operations",
            "O",
            "List active resource operations, optionally filtered by\n--resource and/or --node",
        ),
        Option(
            "list-all-operations",
            "o",
            "List all resource operations, optionally filtered by\n--resource and/or --node",
        ),
        Option(
            "list-standards",
            "",
            "List supported standards",
        ),
        Option(
            "list-ocf-providers",
            "",
            "List all available OCF providers",
        ),
        Option(
            "list-agents",
            "",
            "List all agents available for the named standard and/or provider",
            "STD:PROV",
        ),
        Option(
            "list-ocf-alternatives",
            "",
            "List all available providers for the named OCF agent",
            "AGENT",
        ),
        Option(
            "show-metadata",
            "",
            "Show the metadata for the named class:provider:agent",
            "SPEC",
        ),
        Option(
            "query-xml",
            "q",
            "Show XML configuration of resource (after any template expansion)",
        ),
        Option(
            "query-xml-raw",
            "w",
            "Show XML configuration of resource (before any template expansion)",
        ),
        Option(
            "get-parameter",
            "g",
            "Display named parameter for resource (use instance attribute\n"
            "unless --meta or --utilization is specified)",
            "PARAM",
        ),
        Option(
            "locate",
            "W",
            "Show node(s) currently running resource",
        ),
        Option(
            "constraints",
            "a",
            "Display the location and colocation constraints that apply to a\n"
            "resource, and if --recursive is specified, to the resources\n"
            "directly or indirectly involved in those colocations.\n"
            "If the named resource is part of a group, or a clone or\n"
            "bundle instance, constraints for the collective resource\n"
            "will be shown unless --force is given.",
        ),
        Option(
            "stack",
            "A",
            "Equivalent to --constraints --recursive",
        ),
        Option(
            "why",
            "Y",
            "Show why resources are not running, optionally filtered by\n--resource and/or --node",
        ),
        Option("list-cts", "c", hidden=True),
        Option("get-property", "G", argument="PROPERTY", hidden=True),
    ),
)

_COMMANDS = Group(
    "commands",
    "Commands:",
    "Show command help",
    (
        Option(
            "validate",
            "",
            "Validate resource configuration by calling agent's validate-all\n"
            "action. The configuration may be specified either by giving an\n"
            "existing resource name with -r, or by specifying --class,\n"
            "--agent, and --provider arguments, along with any number of\n"
            "--option arguments. An optional LEVEL argument can be given\n"
            "to control the level of checking performed.",
            "LEVEL",
            optional=True,
        ),
        Option(
            "cleanup",
            "C",
            "If resource has any past failures, clear its history and fail\n"
            "count. Optionally filtered by --resource, --node, --operation\n"
            "and --interval (otherwise all). --operation and --interval\n"
            "apply to fail counts, but entire history is always clear, to\n"
            "allow current state to be rechecked. If the named resource is\n"
            "part of a group, or one numbered instance of a clone or bundled\n"
            "resource, the clean-up applies to the whole collective resource\n"
            "unless --force is given.",
        ),
        Option(
            "refresh",
            "R",
            "Delete resource's history (including failures) so its current state\n"
            "is rechecked. Optionally filtered by --resource and --node\n"
            "(otherwise all). If the named resource is part of a group, or one\n"
            "numbered instance of a clone or bundled resource, the refresh\n"
            "applies to the whole collective resource unless --force is given.",
        ),
        Option(
            "set-parameter",
            "p",
            "Set named parameter for resource (requires -v). Use instance\n"
            "attribute unless --meta or --utilization is specified.",
            "PARAM",
        ),
        Option(
            "delete-parameter",
            "d",
            "Delete named parameter for resource. Use instance attribute\nunless --meta or --utilization is specified.",
            "PARAM",
        ),
        Option("set-property", "S", argument="PROPERTY", hidden=True),
    ),
)

_LOCATIONS = Group(
    "locations",
    "Locations:",
    "Show location help",
    (
        Option(
            "move",
            "M",
            "Create a constraint to move resource. If --node is specified,\n"
            "the constraint will be to move to that node, otherwise it\n"
            "will be to ban the current node. Unless --force is specified\n"
            "this will return an error if the resource is already running\n"
            "on the specified node. If --force is specified, this will\n"
            "always ban the current node.\n"
            "Optional: --lifetime, --promoted. NOTE: This may prevent the\n"
            "resource from running on its previous location until the\n"
            "implicit constraint expires or is removed with --clear.",
        ),
        Option(
            "ban",
            "B",
            "Create a constraint to keep resource off a node.\n"
            "Optional: --node, --lifetime, --promoted.\n"
            "NOTE: This will prevent the resource from running on the\n"
            "affected node until the implicit constraint expires or is\n"
            "removed with --clear. If --node is not specified, it defaults\n"
            "to the node currently running the resource for primitives\n"
            "and groups, or the promoted instance of promotable clones with\n"
            "promoted-max=1 (all other situations result in an error as\n"
            "there is no sane default).",
        ),
        Option(
            "clear",
            "U",
            "Remove all constraints created by the --ban and/or --move\n"
            "commands. Requires: --resource. Optional: --node, --promoted,\n"
            "--expired. If --node is not specified, all constraints created\n"
            "by --ban and --move will be removed for the named resource. If\n"
            "--node and --force are specified, any constraint created by\n"
            "--move will be cleared, even if it is not for the specified\n"
            "node. If --expired is specified, only those constraints whose\n"
            "lifetimes have expired will be removed.",
        ),
        Option(
            "expired",
            "e",
            "Modifies the --clear argument to remove constraints with\nexpired lifetimes.",
        ),
        Option(
            "lifetime",
            "u",
            "Lifespan (as ISO 8601 duration) of created constraints (with\n"
            "-B, -M) see https://en.wikipedia.org/wiki/ISO_8601#Durations)",
            "TIMESPEC",
        ),
        Option(
            "promoted",
            "",
            "Limit scope of command to promoted role (with -B, -M, -U). For\n"
            "-B and -M, previously promoted instances may remain\n"
            "active in the unpromoted role.",
        ),
        Option(
            "master",
            "",
            "Deprecated: Use --promoted instead",
        ),
    ),
)

_ADVANCED = Group(
    "advanced",
    "Advanced:",
    "Show advanced option help",
    (
        Option(
            "delete",
            "D",
            "(Advanced) Delete a resource from the CIB. Required: -t",
        ),
        Option(
            "fail",
            "F",
            "(Advanced) Tell the cluster this resource has failed",
        ),
        Option(
            "restart",
            "",
            "(Advanced) Tell the cluster to restart this resource and\nanything that depends on it",
        ),
        Option(
            "wait",
            "",
            "(Advanced) Wait until the cluster settles into a stable state",
        ),
        Option(
            "digests",
            "",
            "(Advanced) Show parameter hashes that Pacemaker uses to detect\n"
            "configuration changes (only accurate if there is resource\n"
            "history on the specified node). Required: --resource, --node.\n"
            "Optional: any NAME=VALUE parameters will be used to override\n"
            "the configuration (to see what the hash would be with those\n"
            "changes).",
        ),
        Option(
            "force-demote",
            "",
            "(Advanced) Bypass the cluster and demote a resource on the local\n"
            "node. Unless --force is specified, this will refuse to do so if\n"
            "the cluster believes the resource is a clone instance already\n"
            "running on the local node.",
        ),
        Option(
            "force-stop",
            "",
            "(Advanced) Bypass the cluster and stop a resource on the local node",
        ),
        Option(
            "force-start",
            "",
            "(Advanced) Bypass the cluster and start a resource on the local\n"
            "node. Unless --force is specified, this will refuse to do so if\n"
            "the cluster believes the resource is a clone instance already\n"
            "running on the local node.",
        ),
        Option(
            "force-promote",
            "",
            "(Advanced) Bypass the cluster and promote a resource on the local\n"
            "node. Unless --force is specified, this will refuse to do so if\n"
            "the cluster believes the resource is a clone instance already\n"
            "running on the local node.",
        ),
        Option(
            "force-check",
            "",
            "(Advanced) Bypass the cluster and check the state of a resource on\n"
            "the local node. An optional LEVEL argument can be given\n"
            "to control the level of checking performed.",
            "LEVEL",
            optional=True,
        ),
    ),
)

_ADDITIONAL = Group(
    "additional",
    "Additional Options:",
    "Show additional options",
    (
        Option(
            "node",
            "N",
            "Node name",
            "NAME",
        ),
        Option(
            "recursive",
            "",
            "Follow colocation chains when using --set-parameter or --constraints",
        ),
        Option(
            "resource-type",
            "t",
            "Resource XML element (primitive, group, etc.) (with -D)",
            "ELEMENT",
        ),
        Option(
            "parameter-value",
            "v",
            "Value to use with -p",
            "PARAM",
        ),
        Option(
            "meta",
            "m",
            "Use resource meta-attribute instead of instance attribute\n(with -p, -g, -d)",
        ),
        Option(
            "utilization",
            "z",
            "Use resource utilization attribute instead of instance attribute\n(with -p, -g, -d)",
        ),
        Option(
            "operation",
            "n",
            "Operation to clear instead of all (with -C -r)",
            "OPERATION",
        ),
        Option(
            "interval",
            "I",
            "Interval of operation to clear (default 0) (with -C -r -n)",
            "N",
        ),
        Option(
            "class",
            "",
            "The standard the resource agent conforms to (for example, ocf).\n"
            "Use with --agent, --provider, --option, and --validate.",
            "CLASS",
        ),
        Option(
            "agent",
            "",
            "The agent to use (for example, IPaddr). Use with --class,\n--provider, --option, and --validate.",
            "AGENT",
        ),
        Option(
            "provider",
            "",
            "The vendor that supplies the resource agent (for example,\n"
            "heartbeat). Use with --class, --agent, --option, and --validate.",
            "PROVIDER",
        ),
        Option(
            "option",
            "",
            "Specify a device configuration parameter as NAME=VALUE (may be\n"
            "specified multiple times). Use with --validate and without the\n"
            "-r option.",
            "PARAM",
        ),
        Option(
            "set-name",
            "s",
            "(Advanced) XML ID of attributes element to use (with -p, -d)",
            "ID",
        ),
        Option(
            "nvpair",
            "i",
            "(Advanced) XML ID of nvpair element to use (with -p, -d)",
            "ID",
        ),
        Option(
            "timeout",
            "T",
            "(Advanced) Abort if command does not finish in this time (with\n--restart, --wait, --force-*)",
            "N",
        ),
        Option(
            "force",
            "f",
            "If making CIB changes, do so regardless of quorum. See help for\n"
            "individual commands for additional behavior.",
        ),
        Option("host-uname", "H", argument="NAME", hidden=True),
        Option("xml-file", "x", argument="FILE", hidden=True),
    ),
)

PROGRAM = Program(
    "crm_resource",
    "crm_resource - perform tasks related to Pacemaker cluster resources",
    (_QUERIES, _COMMANDS, _LOCATIONS, _ADVANCED, _ADDITIONAL),
    (
        Option("quiet", "Q", "Be less descriptive in output."),
        Option("resource", "r", "Resource ID", "ID"),
    ),
    epilogue="""Examples:

List the available OCF agents:

	# crm_resource --list-agents ocf

List the available OCF agents from the linux-ha project:

	# crm_resource --list-agents ocf:heartbeat

Move 'myResource' to a specific node:

	# crm_resource --resource myResource --move --node altNode

Allow (but not force) 'myResource' to move back to its original location:

	# crm_resource --resource myResource --clear

Stop 'myResource' (and anything that depends on it):

	# crm_resource --resource myResource --set-parameter target-role --meta --parameter-value Stopped

Tell the cluster not to manage 'myResource' (the cluster will not attempt to start or stop the
resource under any circumstances; useful when performing maintenance tasks on a resource):

	# crm_resource --resource myResource --set-parameter is-managed --meta --parameter-value false

Erase the operation history of 'myResource' on 'aNode' (the cluster will 'forget' the existing
resource state, including any errors, and attempt to recover theresource; useful when a resource
had failed permanently and has been repaired by an administrator):

	# crm_resource --resource myResource --cleanup --node aNode

""",
    special="GHINSTdginpstuvx",
    indent=36,
)
