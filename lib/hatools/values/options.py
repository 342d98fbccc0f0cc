"""What every cluster option means: one source for the daemons' metadata, completion and help. Pure.

The descriptions are the ones Pacemaker 2.1.5's daemons give out in their metadata, because tools show them to people
as they are. ``values.fencing_options`` and ``values.resource_options`` hold the rest.
"""

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class OptionMeaning:
    """One option.

    ``type`` is boolean, integer, percentage, score, select, string, time or duration; ``default`` None means that there
    is none. ``details`` is the long description if it says more than ``summary``; ``allowed`` describes the values in
    words where ``choices`` cannot list them.
    """

    name: str
    type: str
    default: str | None
    summary: str
    details: str = ""
    choices: tuple[str, ...] = ()
    allowed: str = ""

    @property
    def allowed_values(self) -> str:
        """Return what the long description ends in, or nothing."""
        allowed = self.allowed or ", ".join(self.choices)
        return f"  Allowed values: {allowed}" if allowed else ""

    @property
    def long_description(self) -> str:
        """The details (the summary, if there are none), then the allowed values."""
        return (self.details or self.summary) + self.allowed_values


_CIB = (
    OptionMeaning(
        "enable-acl",
        "boolean",
        "false",
        "Enable Access Control Lists (ACLs) for the CIB",
    ),
    OptionMeaning(
        "cluster-ipc-limit",
        "integer",
        "500",
        "Maximum IPC message backlog before disconnecting a cluster daemon",
        (
            'Raise this if log has "Evicting client" messages for cluster daemon PIDs (a good value is '
            "the number of resources in the cluster multiplied by the number of nodes)."
        ),
    ),
)

_SCHEDULER = (
    OptionMeaning(
        "no-quorum-policy",
        "select",
        "stop",
        "What to do when the cluster does not have quorum",
        choices=(
            "stop",
            "freeze",
            "ignore",
            "demote",
            "suicide",
        ),
    ),
    OptionMeaning(
        "symmetric-cluster",
        "boolean",
        "true",
        "Whether resources can run on any node by default",
    ),
    OptionMeaning(
        "maintenance-mode",
        "boolean",
        "false",
        "Whether the cluster should refrain from monitoring, starting, and stopping resources",
    ),
    OptionMeaning(
        "start-failure-is-fatal",
        "boolean",
        "true",
        "Whether a start failure should prevent a resource from being recovered on the same node",
        (
            "When true, the cluster will immediately ban a resource from a node if it fails to start "
            "there. When false, the cluster will instead check the resource's fail count against its "
            "migration-threshold."
        ),
    ),
    OptionMeaning(
        "enable-startup-probes",
        "boolean",
        "true",
        "Whether the cluster should check for active resources during start-up",
    ),
    OptionMeaning(
        "shutdown-lock",
        "boolean",
        "false",
        "Whether to lock resources to a cleanly shut down node",
        (
            'When true, resources active on a node when it is cleanly shut down are kept "locked" to that'
            " node (not allowed to run elsewhere) until they start again on that node after it rejoins "
            "(or for at most shutdown-lock-limit, if set). Stonith resources and Pacemaker Remote "
            "connections are never locked. Clone and bundle instances and the promoted role of promotable"
            " clones are currently never locked, though support could be added in a future release."
        ),
    ),
    OptionMeaning(
        "shutdown-lock-limit",
        "time",
        "0",
        "Do not lock resources to a cleanly shut down node longer than this",
        (
            "If shutdown-lock is true and this is set to a nonzero time duration, shutdown locks will "
            "expire after this much time has passed since the shutdown was initiated, even if the node "
            "has not rejoined."
        ),
    ),
    OptionMeaning(
        "stonith-enabled",
        "boolean",
        "true",
        "*** Advanced Use Only *** Whether nodes may be fenced as part of recovery",
        (
            "If false, unresponsive nodes are immediately assumed to be harmless, and resources that were"
            ' active on them may be recovered elsewhere. This can result in a "split-brain" situation, '
            "potentially leading to data loss and/or service unavailability."
        ),
    ),
    OptionMeaning(
        "stonith-action",
        "select",
        "reboot",
        'Action to send to fence device when a node needs to be fenced ("poweroff" is a deprecated alias for "off")',
        choices=(
            "reboot",
            "off",
            "poweroff",
        ),
    ),
    OptionMeaning(
        "stonith-timeout",
        "time",
        "60s",
        "*** Advanced Use Only *** Unused by Pacemaker",
        (
            "This value is not used by Pacemaker, but is kept for backward compatibility, and certain "
            "legacy fence agents might use it."
        ),
    ),
    OptionMeaning(
        "have-watchdog",
        "boolean",
        "false",
        "Whether watchdog integration is enabled",
        (
            "This is set automatically by the cluster according to whether SBD is detected to be in use. "
            "User-configured values are ignored. The value `true` is meaningful if diskless SBD is used "
            "and `stonith-watchdog-timeout` is nonzero. In that case, if fencing is required, "
            "watchdog-based self-fencing will be performed via SBD without requiring a fencing resource "
            "explicitly configured."
        ),
    ),
    OptionMeaning(
        "concurrent-fencing",
        "boolean",
        "false",
        "Allow performing fencing operations in parallel",
    ),
    OptionMeaning(
        "startup-fencing",
        "boolean",
        "true",
        "*** Advanced Use Only *** Whether to fence unseen nodes at start-up",
        (
            'Setting this to false may lead to a "split-brain" situation,potentially leading to data loss'
            " and/or service unavailability."
        ),
    ),
    OptionMeaning(
        "priority-fencing-delay",
        "time",
        "0",
        "Apply fencing delay targeting the lost nodes with the highest total resource priority",
        (
            "Apply specified delay for the fencings that are targeting the lost nodes with the highest "
            "total resource priority in case we don't have the majority of the nodes in our cluster "
            "partition, so that the more significant nodes potentially win any fencing match, which is "
            "especially meaningful under split-brain of 2-node cluster. A promoted resource instance "
            "takes the base priority + 1 on calculation if the base priority is not 0. Any static/random "
            "delays that are introduced by `pcmk_delay_base/max` configured for the corresponding fencing"
            " resources will be added to this delay. This delay should be significantly greater than, "
            "safely twice, the maximum `pcmk_delay_base/max`. By default, priority fencing delay is "
            "disabled."
        ),
    ),
    OptionMeaning(
        "cluster-delay",
        "time",
        "60s",
        "Maximum time for node-to-node communication",
        (
            "The node elected Designated Controller (DC) will consider an action failed if it does not "
            "get a response from the node executing the action within this time (after considering the "
            'action\'s own timeout). The "correct" value will depend on the speed and load of your network'
            " and cluster nodes."
        ),
    ),
    OptionMeaning(
        "batch-limit",
        "integer",
        "0",
        "Maximum number of jobs that the cluster may execute in parallel across all nodes",
        (
            'The "correct" value will depend on the speed and load of your network and cluster nodes. If '
            "set to 0, the cluster will impose a dynamically calculated limit when any node has a high "
            "load."
        ),
    ),
    OptionMeaning(
        "migration-limit",
        "integer",
        "-1",
        (
            "The number of live migration actions that the cluster is allowed to execute in parallel on a"
            " node (-1 means no limit)"
        ),
    ),
    OptionMeaning(
        "stop-all-resources",
        "boolean",
        "false",
        "Whether the cluster should stop all active resources",
    ),
    OptionMeaning(
        "stop-orphan-resources",
        "boolean",
        "true",
        "Whether to stop resources that were removed from the configuration",
    ),
    OptionMeaning(
        "stop-orphan-actions",
        "boolean",
        "true",
        "Whether to cancel recurring actions removed from the configuration",
    ),
    OptionMeaning(
        "remove-after-stop",
        "boolean",
        "false",
        "*** Deprecated *** Whether to remove stopped resources from the executor",
        (
            "Values other than default are poorly tested and potentially dangerous. This option will be "
            "removed in a future release."
        ),
    ),
    OptionMeaning(
        "pe-error-series-max",
        "integer",
        "-1",
        "The number of scheduler inputs resulting in errors to save",
        "Zero to disable, -1 to store unlimited.",
    ),
    OptionMeaning(
        "pe-warn-series-max",
        "integer",
        "5000",
        "The number of scheduler inputs resulting in warnings to save",
        "Zero to disable, -1 to store unlimited.",
    ),
    OptionMeaning(
        "pe-input-series-max",
        "integer",
        "4000",
        "The number of scheduler inputs without errors or warnings to save",
        "Zero to disable, -1 to store unlimited.",
    ),
    OptionMeaning(
        "node-health-strategy",
        "select",
        "none",
        "How cluster should react to node health attributes",
        (
            'Requires external entities to create node attributes (named with the prefix "#health") with '
            'values "red", "yellow", or "green".'
        ),
        choices=(
            "none",
            "migrate-on-red",
            "only-green",
            "progressive",
            "custom",
        ),
    ),
    OptionMeaning(
        "node-health-base",
        "integer",
        "0",
        "Base health score assigned to a node",
        "Only used when node-health-strategy is set to progressive.",
    ),
    OptionMeaning(
        "node-health-green",
        "integer",
        "0",
        'The score to use for a node health attribute whose value is "green"',
        "Only used when node-health-strategy is set to custom or progressive.",
    ),
    OptionMeaning(
        "node-health-yellow",
        "integer",
        "0",
        'The score to use for a node health attribute whose value is "yellow"',
        "Only used when node-health-strategy is set to custom or progressive.",
    ),
    OptionMeaning(
        "node-health-red",
        "integer",
        "-INFINITY",
        'The score to use for a node health attribute whose value is "red"',
        "Only used when node-health-strategy is set to custom or progressive.",
    ),
    OptionMeaning(
        "placement-strategy",
        "select",
        "default",
        "How the cluster should allocate resources to nodes",
        choices=(
            "default",
            "utilization",
            "minimal",
            "balanced",
        ),
    ),
)

_CONTROLLER = (
    OptionMeaning(
        "dc-version",
        "string",
        "none",
        "Pacemaker version on cluster node elected Designated Controller (DC)",
        "Includes a hash which identifies the exact changeset the code was built from. Used for diagnostic purposes.",
    ),
    OptionMeaning(
        "cluster-infrastructure",
        "string",
        "corosync",
        "The messaging stack on which Pacemaker is currently running",
        "Used for informational and diagnostic purposes.",
    ),
    OptionMeaning(
        "cluster-name",
        "string",
        None,
        "An arbitrary name for the cluster",
        (
            "This optional value is mostly for users' convenience as desired in administration, but may "
            "also be used in Pacemaker configuration rules via the #cluster-name node attribute, and by "
            "higher-level tools and resource agents."
        ),
    ),
    OptionMeaning(
        "dc-deadtime",
        "time",
        "20s",
        "How long to wait for a response from other nodes during start-up",
        "The optimal value will depend on the speed and load of your network and the type of switches used.",
    ),
    OptionMeaning(
        "cluster-recheck-interval",
        "time",
        "15min",
        "Polling interval to recheck cluster state and evaluate rules with date specifications",
        (
            "Pacemaker is primarily event-driven, and looks ahead to know when to recheck cluster state "
            "for failure timeouts and most time-based rules. However, it will also recheck the cluster "
            "after this amount of inactivity, to evaluate rules with date specifications and serve as a "
            "fail-safe for certain types of scheduler bugs."
        ),
        allowed="Zero disables polling, while positive values are an interval in seconds"
        '(unless other units are specified, for example "5min")',
    ),
    OptionMeaning(
        "load-threshold",
        "percentage",
        "80%",
        "Maximum amount of system load that should be used by cluster nodes",
        (
            "The cluster will slow down its recovery process when the amount of system resources used "
            "(currently CPU) approaches this limit"
        ),
    ),
    OptionMeaning(
        "node-action-limit",
        "integer",
        "0",
        "Maximum number of jobs that can be scheduled per node (defaults to 2x cores)",
    ),
    OptionMeaning(
        "fence-reaction",
        "string",
        "stop",
        "How a cluster node should react if notified of its own fencing",
        (
            "A cluster node may receive notification of its own fencing if fencing is misconfigured, or "
            "if fabric fencing is in use that doesn't cut cluster communication. Allowed values are "
            '"stop" to attempt to immediately stop Pacemaker and stay stopped, or "panic" to attempt to '
            "immediately reboot the local node, falling back to stop on failure."
        ),
    ),
    OptionMeaning(
        "election-timeout",
        "time",
        "2min",
        "*** Advanced Use Only ***",
        (
            "Declare an election failed if it is not decided within this much time. If you need to adjust"
            " this value, it probably indicates the presence of a bug."
        ),
    ),
    OptionMeaning(
        "shutdown-escalation",
        "time",
        "20min",
        "*** Advanced Use Only ***",
        (
            "Exit immediately if shutdown does not complete within this much time. If you need to adjust "
            "this value, it probably indicates the presence of a bug."
        ),
    ),
    OptionMeaning(
        "join-integration-timeout",
        "time",
        "3min",
        "*** Advanced Use Only ***",
        "If you need to adjust this value, it probably indicates the presence of a bug.",
    ),
    OptionMeaning(
        "join-finalization-timeout",
        "time",
        "30min",
        "*** Advanced Use Only ***",
        "If you need to adjust this value, it probably indicates the presence of a bug.",
    ),
    OptionMeaning(
        "transition-delay",
        "time",
        "0s",
        "*** Advanced Use Only *** Enabling this option will slow down cluster recovery under all conditions",
        (
            "Delay cluster recovery for this much time to allow for additional events to occur. Useful if"
            " your configuration is sensitive to the order in which ping updates arrive."
        ),
    ),
    OptionMeaning(
        "stonith-watchdog-timeout",
        "time",
        "0",
        "How long before nodes can be assumed to be safely down when watchdog-based self-fencing via SBD is in use",
        (
            "If this is set to a positive value, lost nodes are assumed to self-fence using "
            "watchdog-based SBD within this much time. This does not require a fencing resource to be "
            "explicitly configured, though a fence_watchdog resource can be configured, to limit use to "
            "specific nodes. If this is set to 0 (the default), the cluster will never assume "
            "watchdog-based self-fencing. If this is set to a negative value, the cluster will use twice "
            "the local value of the `SBD_WATCHDOG_TIMEOUT` environment variable if that is positive, or "
            "otherwise treat this as 0. WARNING: When used, this timeout must be larger than "
            "`SBD_WATCHDOG_TIMEOUT` on all nodes that use watchdog-based SBD, and Pacemaker will refuse "
            "to start on any of those nodes where this is not true for the local value or SBD is not "
            "active. When this is set to a negative value, `SBD_WATCHDOG_TIMEOUT` must be set to the same"
            " value on all nodes that use SBD, otherwise data corruption or loss could occur."
        ),
    ),
    OptionMeaning(
        "stonith-max-attempts",
        "integer",
        "10",
        "How many times fencing can fail before it will no longer be immediately re-attempted on a target",
    ),
)

CLUSTER_OPTIONS: dict[str, OptionMeaning] = {option.name: option for option in (*_SCHEDULER, *_CONTROLLER, *_CIB)}
"""Every option of ``crm_config`` by name."""

DAEMON_OPTIONS: dict[str, tuple[OptionMeaning, ...]] = {
    "based": _CIB,
    "schedulerd": _SCHEDULER,
    "controld": (*_CONTROLLER, CLUSTER_OPTIONS["no-quorum-policy"], CLUSTER_OPTIONS["shutdown-lock"]),
}
"""What each daemon's ``metadata`` lists, in order."""


def default_of(name: str) -> str | None:
    """Return the default of a cluster option; None if it has none or is unknown."""
    option = CLUSTER_OPTIONS.get(name)
    return None if option is None else option.default
