"""What ``crm_shadow`` looks like on the command line. Pure."""

from hatools.cli.gnu_options import Entry, GnuProgram, Style

PROGRAM = GnuProgram(
    "crm_shadow",
    "perform Pacemaker configuration changes in a sandbox\n\nThis command sets up an environment in which "
    "configuration tools (cibadmin,\ncrm_resource, etc.) work offline instead of against a live cluster, allowing\n"
    "changes to be previewed and tested for side-effects.\n",
    "<query>|<command> [options]",
    (
        Entry("help", "?", text="\t\tThis text"),
        Entry("version", "$", text="\t\tVersion information"),
        Entry("verbose", "V", text="\t\tIncrease debug output"),
        Entry(text="\nQueries:"),
        Entry("which", "w", text="\t\tIndicate the active shadow copy"),
        Entry("display", "p", text="\t\tDisplay the contents of the active shadow copy"),
        Entry("edit", "E", text="\t\tEdit the contents of the active shadow copy with your favorite $EDITOR"),
        Entry("diff", "d", text="\t\tDisplay the changes in the active shadow copy\n"),
        Entry("file", "F", text="\t\tDisplay the location of the active shadow copy file\n"),
        Entry(text="\nCommands:"),
        Entry("create", "c", text="\tCreate the named shadow copy of the active cluster configuration", argument=1),
        Entry(
            "create-empty",
            "e",
            text="Create the named shadow copy with an empty cluster configuration. Optional: --validate-with",
            argument=1,
        ),
        Entry("commit", "C", text="\tUpload the contents of the named shadow copy to the cluster", argument=1),
        Entry("delete", "D", text="\tDelete the contents of the named shadow copy", argument=1),
        Entry("reset", "r", text="\tRecreate named shadow copy from the active cluster configuration", argument=1),
        Entry("switch", "s", text="\t(Advanced) Switch to the named shadow copy", argument=1),
        Entry(text="\nAdditional Options:"),
        Entry("force", "f", text="\t\t(Advanced) Force the action to be performed"),
        Entry("batch", "b", text="\t\t(Advanced) Don't spawn a new shell"),
        Entry("all", "a", text="\t\t(Advanced) Upload entire CIB, including status, with --commit"),
        Entry("validate-with", "v", text="(Advanced) Create an older configuration version", argument=1),
        Entry(text="\nExamples:", style=Style.PARAGRAPH),
        Entry(text="Create a blank shadow configuration:", style=Style.PARAGRAPH),
        Entry(text=" crm_shadow --create-empty myShadow", style=Style.EXAMPLE),
        Entry(text="Create a shadow configuration from the running cluster:", style=Style.PARAGRAPH),
        Entry(text=" crm_shadow --create myShadow", style=Style.EXAMPLE),
        Entry(text="Display the current shadow configuration:", style=Style.PARAGRAPH),
        Entry(text=" crm_shadow --display", style=Style.EXAMPLE),
        Entry(text="Discard the current shadow configuration (named myShadow):", style=Style.PARAGRAPH),
        Entry(text=" crm_shadow --delete myShadow --force", style=Style.EXAMPLE),
        Entry(text="Upload current shadow configuration (named myShadow) to running cluster:", style=Style.PARAGRAPH),
        Entry(text=" crm_shadow --commit myShadow", style=Style.EXAMPLE),
    ),
)
