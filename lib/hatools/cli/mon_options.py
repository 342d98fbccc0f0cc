"""What ``crm_mon`` can be asked: its options with their help. Pure data."""

from hatools.cli.options import Group, Option, Program

_INDENT = " " * 36

PROGRAM = Program(
    name="crm_mon",
    summary=(
        "Provides a summary of cluster's current state.\n\n"
        "Outputs varying levels of detail in a number of different formats."
    ),
    special="ehimpxEILU",
    formats=("console", "html", "text", "xml"),
    options=(Option("quiet", "Q", "Be less descriptive in output."),),
    groups=(
        Group(
            "display",
            "Display Options:",
            "Show display options",
            (
                Option(
                    "include",
                    "I",
                    "A list of sections to include in the output.\n"
                    f"{_INDENT}See `Output Control` help for more information.",
                    "SECTION(s)",
                ),
                Option(
                    "exclude",
                    "U",
                    "A list of sections to exclude from the output.\n"
                    f"{_INDENT}See `Output Control` help for more information.",
                    "SECTION(s)",
                ),
                Option(
                    "node",
                    "",
                    "When displaying information about nodes, show only what's related to the given\n"
                    f"{_INDENT}node, or to all nodes tagged with the given tag",
                    "NODE",
                ),
                Option(
                    "resource",
                    "",
                    "When displaying information about resources, show only what's related to the given\n"
                    f"{_INDENT}resource, or to all resources tagged with the given tag",
                    "RSC",
                ),
                Option("group-by-node", "n", "Group resources by node"),
                Option("inactive", "r", "Display inactive resources"),
                Option("failcounts", "f", "Display resource fail counts"),
                Option("operations", "o", "Display resource operation history"),
                Option("timing-details", "t", "Display resource operation history with timing details"),
                Option("tickets", "c", "Display cluster tickets"),
                Option(
                    "fence-history",
                    "m",
                    "Show fence history:\n"
                    f"{_INDENT}0=off, 1=failures and pending (default without option),\n"
                    f"{_INDENT}2=add successes (default without value for option),\n"
                    f"{_INDENT}3=show full history without reduction to most recent of each flavor",
                    "LEVEL",
                    optional=True,
                ),
                Option(
                    "neg-locations",
                    "L",
                    "Display negative location constraints [optionally filtered by id prefix]",
                    optional=True,
                    argument="",
                ),
                Option("show-node-attributes", "A", "Display node attributes"),
                Option("hide-headers", "D", "Hide all headers"),
                Option("show-detail", "R", "Show more details (node IDs, individual clone instances)"),
                Option("brief", "b", "Brief output"),
                Option("warnings", "", "Say first what an operator must know, as on a terminal", hidden=True),
                Option("pending", "j", "Display pending state if 'record-pending' is enabled", hidden=True),
                Option(
                    "simple-status",
                    "s",
                    "Display the cluster status once as a simple one line output (suitable for nagios)",
                ),
            ),
        ),
        Group(
            "additional",
            "Additional Options:",
            "Show additional options",
            (
                Option("interval", "i", "Update frequency (default is 5 seconds)", "TIMESPEC"),
                Option("one-shot", "1", "Display the cluster status once on the console and exit"),
                Option(
                    "daemonize",
                    "d",
                    "Run in the background as a daemon.\n"
                    f"{_INDENT}Requires at least one of --output-to and --external-agent.",
                ),
                Option("pid-file", "p", "(Advanced) Daemon pid file location", "FILE"),
                Option("external-agent", "E", "A program to run when resource operations take place", "FILE"),
                Option(
                    "external-recipient",
                    "e",
                    "A recipient for your program (assuming you want the program to send something to someone).",
                    "RCPT",
                ),
                Option("watch-fencing", "W", "Listen for fencing events. For use with --external-agent."),
                Option("xml-file", "x", hidden=True, argument="FILE"),
            ),
        ),
        Group(
            "deprecated",
            "Deprecated Options:",
            "Show deprecated options",
            (
                Option(
                    "as-html",
                    "h",
                    "Write cluster status to the named HTML file.\n"
                    f"{_INDENT}Use --output-as=html --output-to=FILE instead.",
                    "FILE",
                ),
                Option(
                    "as-xml",
                    "X",
                    "Write cluster status as XML to stdout. This will enable one-shot mode.\n"
                    f"{_INDENT}Use --output-as=xml instead.",
                ),
                Option(
                    "disable-ncurses",
                    "N",
                    f"Disable the use of ncurses.\n{_INDENT}Use --output-as=text instead.",
                ),
                Option(
                    "web-cgi",
                    "w",
                    "Web mode with output suitable for CGI (preselected when run as *.cgi).\n"
                    f"{_INDENT}Use --output-as=html --html-cgi instead.",
                ),
            ),
        ),
    ),
    epilogue=(
        "Notes:\n\n"
        "If this program is called as crm_mon.cgi, --output-as=html --html-cgi will\n"
        "automatically be added to the command line arguments.\n\n"
        "Time Specification:\n\n"
        "The TIMESPEC in any command line option can be specified in many different\n"
        "formats.  It can be just an integer number of seconds, a number plus units\n"
        "(ms/msec/us/usec/s/sec/m/min/h/hr), or an ISO 8601 period specification.\n\n"
        "Output Control:\n\n"
        "By default, a certain list of sections are written to the output destination.\n"
        "The default varies based on the output format - XML includes everything, while\n"
        "other output formats will display less.  This list can be modified with the\n"
        "--include and --exclude command line options.  Each option may be given multiple\n"
        "times on the command line, and each can give a comma-separated list of sections.\n"
        "The options are applied to the default set, from left to right as seen on the\n"
        "command line.  For a list of valid sections, pass --include=list or --exclude=list.\n\n"
        "Interactive Use:\n\n"
        "When run interactively, crm_mon can be told to hide and display various sections\n"
        "of output.  To see a help screen explaining the options, hit '?'.  Any key stroke\n"
        "aside from those listed will cause the screen to refresh.\n\n"
        "Examples:\n\n"
        "Display the cluster status on the console with updates as they occur:\n\n"
        "\tcrm_mon\n\n"
        "Display the cluster status on the console just once then exit:\n\n"
        "\tcrm_mon -1\n\n"
        "Display your cluster status, group resources by node, and include inactive resources in the list:\n\n"
        "\tcrm_mon --group-by-node --inactive\n\n"
        "Start crm_mon as a background daemon and have it write the cluster status to an HTML file:\n\n"
        "\tcrm_mon --daemonize --output-as html --output-to /path/to/docroot/filename.html\n\n"
        "Start crm_mon and export the current cluster status as XML to stdout, then exit:\n\n"
        "\tcrm_mon --output-as xml\n\n"
    ),
)
