"""What ``crm_simulate`` can be asked: its options with their help. Pure data."""

from hatools.cli.options import Group, Option, Program

_INDENT = " " * 35

PROGRAM = Program(
    name="crm_simulate",
    summary="crm_simulate - simulate a Pacemaker cluster's response to events",
    special="bdefgiqrtuwxDFGINOP",
    options=(Option("quiet", "Q", "Display only essential output"),),
    groups=(
        Group(
            "operations",
            "Operations:",
            "Show operations options",
            (
                Option(
                    "run",
                    "R",
                    "Process the supplied input and show what actions the cluster will take in response",
                ),
                Option(
                    "simulate",
                    "S",
                    "Like --run, but also simulate taking those actions and show the resulting new status",
                ),
                Option("in-place", "X", "Like --simulate, but also store the results back to the input file"),
                Option("show-attrs", "A", "Show node attributes"),
                Option("show-failcounts", "c", "Show resource fail counts"),
                Option("show-scores", "s", "Show allocation scores"),
                Option("show-utilization", "U", "Show utilization information"),
                Option(
                    "profile",
                    "P",
                    "Process all the XML files in the named directory to create profiling data",
                    "DIR",
                ),
                Option("repeat", "N", "With --profile, repeat each test N times and print timings", "N", integer=True),
                Option("pending", "j", "Display pending state if 'record-pending' is enabled", hidden=True),
            ),
        ),
        Group(
            "synthetic",
            "Synthetic Cluster Events:",
            "Show synthetic cluster event options",
            (
                Option("node-up", "u", "Simulate bringing a node online", "NODE"),
                Option("node-down", "d", "Simulate taking a node offline", "NODE"),
                Option("node-fail", "f", "Simulate a node failing", "NODE"),
                Option(
                    "op-inject",
                    "i",
                    "Generate a failure for the cluster to react to in the simulation.\n"
                    f"{_INDENT}See `Operation Specification` help for more information.",
                    "OPSPEC",
                ),
                Option(
                    "op-fail",
                    "F",
                    "If the specified task occurs during the simulation, have it fail with return code ${rc}.\n"
                    f"{_INDENT}The transition will normally stop at the failed action.\n"
                    f"{_INDENT}Save the result with --save-output and re-run with --xml-file.\n"
                    f"{_INDENT}See `Operation Specification` help for more information.",
                    "OPSPEC",
                ),
                Option(
                    "set-datetime",
                    "t",
                    "Set date/time (ISO 8601 format, see https://en.wikipedia.org/wiki/ISO_8601)",
                    "DATETIME",
                ),
                Option("quorum", "q", "Set to '1' (or 'true') to indicate cluster has quorum", "QUORUM"),
                Option(
                    "watchdog",
                    "w",
                    "Set to '1' (or 'true') to indicate cluster has an active watchdog device",
                    "DEVICE",
                ),
                Option("ticket-grant", "g", "Simulate granting a ticket", "TICKET"),
                Option("ticket-revoke", "r", "Simulate revoking a ticket", "TICKET"),
                Option("ticket-standby", "b", "Simulate making a ticket standby", "TICKET"),
                Option("ticket-activate", "e", "Simulate activating a ticket", "TICKET"),
            ),
        ),
        Group(
            "artifact",
            "Artifact Options:",
            "Show artifact options",
            (
                Option("save-input", "I", "Save the input configuration to the named file", "FILE"),
                Option("save-output", "O", "Save the output configuration to the named file", "FILE"),
                Option("save-graph", "G", "Save the transition graph (XML format) to the named file", "FILE"),
                Option("save-dotfile", "D", "Save the transition graph (DOT format) to the named file", "FILE"),
                Option(
                    "all-actions",
                    "a",
                    "Display all possible actions in DOT graph (even if not part of transition)",
                ),
            ),
        ),
        Group(
            "source",
            "Data Source:",
            "Show data source options",
            (
                Option("live-check", "L", "Connect to CIB manager and use the current CIB contents as input"),
                Option("xml-file", "x", "Retrieve XML from the named file", "FILE"),
                Option("xml-pipe", "p", "Retrieve XML from stdin"),
            ),
        ),
    ),
    epilogue=(
        "Operation Specification:\n\n"
        "The OPSPEC in any command line option is of the form\n"
        "${resource}_${task}_${interval_in_ms}@${node}=${rc}\n"
        "(memcached_monitor_20000@bart.example.com=7, for example).\n"
        "${rc} is an OCF return code.  For more information on these\n"
        "return codes, refer to https://clusterlabs.org/pacemaker/doc/2.1/"
        "Pacemaker_Administration/html/agents.html#ocf-return-codes\n\n"
        "Examples:\n\n"
        "Pretend a recurring monitor action found memcached stopped on node\n"
        "fred.example.com and, during recovery, that the memcached stop\n"
        "action failed:\n\n"
        "\tcrm_simulate -LS --op-inject memcached:0_monitor_20000@bart.example.com=7 "
        "--op-fail memcached:0_stop_0@fred.example.com=1 --save-output /tmp/memcached-test.xml\n\n"
        "Now see what the reaction to the stop failed would be:\n\n"
        "\tcrm_simulate -S --xml-file /tmp/memcached-test.xml\n\n"
    ),
)
