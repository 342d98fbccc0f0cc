"""Parameters that every fence device understands beside its agent's own. Pure."""

from hatools.values.options import OptionMeaning

FENCING_ACTIONS = ("reboot", "off", "on", "list", "monitor", "status")

# The original shows a backslash and an n in these two descriptions; kept, as outputs are compared.
_BREAKS_ACTION = {"reboot": "\\n"}
_BREAKS_TIMEOUT = {"monitor": "\\n"}


def _of_action(action: str) -> tuple[OptionMeaning, ...]:
    return (
        OptionMeaning(
            f"pcmk_{action}_action",
            "string",
            action,
            f"Advanced use only: An alternate command to run instead of '{action}'",
            "Some devices do not support the standard commands or may provide additional ones."
            f"{_BREAKS_ACTION.get(action, '')}"
            f"Use this to specify an alternate, device-specific, command that implements the '{action}' action.",
        ),
        OptionMeaning(
            f"pcmk_{action}_timeout",
            "time",
            "60s",
            f"Advanced use only: Specify an alternate timeout to use for {action} actions instead of stonith-timeout",
            f"Some devices need much more/less time to complete than normal.{_BREAKS_TIMEOUT.get(action, '')}"
            f"Use this to specify an alternate, device-specific, timeout for '{action}' actions.",
        ),
        OptionMeaning(
            f"pcmk_{action}_retries",
            "integer",
            "2",
            f"Advanced use only: The maximum number of times to retry the '{action}' command within the timeout period",
            "Some devices do not support multiple connections. Operations may 'fail' if the device is busy with another"
            " task so Pacemaker will automatically retry the operation,      if there is time remaining. Use this"
            f" option to alter the number of times Pacemaker retries '{action}' actions before giving up.",
        ),
    )


FENCING_PARAMETERS = (
    OptionMeaning(
        "pcmk_host_argument",
        "string",
        "port",
        "Advanced use only: An alternate parameter to supply instead of 'port'",
        (
            "some devices do not support the standard 'port' parameter or may provide additional ones. "
            "Use this to specify an alternate, device-specific, parameter that should indicate the "
            "machine to be fenced. A value of none can be used to tell the cluster not to supply any "
            "additional parameters."
        ),
    ),
    OptionMeaning(
        "pcmk_host_map",
        "string",
        "",
        "A mapping of host names to ports numbers for devices that do not support host names.",
        "Eg. node1:1;node2:2,3 would tell the cluster to use port 1 for node1 and ports 2 and 3 for node2",
    ),
    OptionMeaning(
        "pcmk_host_list",
        "string",
        "",
        "Eg. node1,node2,node3",
        "A list of machines controlled by this device (Optional unless pcmk_host_list=static-list)",
    ),
    OptionMeaning(
        "pcmk_host_check",
        "string",
        "dynamic-list",
        "How to determine which machines are controlled by the device.",
        (
            "Allowed values: dynamic-list (query the device via the 'list' command), static-list (check "
            "the pcmk_host_list attribute), status (query the device via the 'status' command), none "
            "(assume every device can fence every machine)"
        ),
    ),
    OptionMeaning(
        "pcmk_delay_max",
        "time",
        "0s",
        "Enable a base delay for fencing actions and specify base delay value.",
        (
            "Enable a delay of no more than the time specified before executing fencing actions. "
            "Pacemaker derives the overall delay by taking the value of pcmk_delay_base and adding a "
            "random delay value such that the sum is kept below this maximum."
        ),
    ),
    OptionMeaning(
        "pcmk_delay_base",
        "string",
        "0s",
        "Enable a base delay for fencing actions and specify base delay value.",
        (
            'This enables a static delay for fencing actions, which can help avoid "death matches" where '
            "two nodes try to fence each other at the same time. If pcmk_delay_max  is also used, a "
            "random delay will be added such that the total delay is kept below that value.This can be "
            "set to a single time value to apply to any node targeted by this device (useful if a "
            "separate device is configured for each target), or to a node map (for example, "
            '"node1:1s;node2:5") to set a different value per target.'
        ),
    ),
    OptionMeaning(
        "pcmk_action_limit",
        "integer",
        "1",
        "The maximum number of actions can be performed in parallel on this device",
        (
            "Cluster property concurrent-fencing=true needs to be configured first.Then use this to "
            "specify the maximum number of actions can be performed in parallel on this device. -1 is "
            "unlimited."
        ),
    ),
    *(option for action in FENCING_ACTIONS for option in _of_action(action)),
)
