"""What ``cibadmin`` looks like on the command line. Pure."""

from hatools.cli.gnu_options import Entry, GnuProgram, Style

PROGRAM = GnuProgram(
    "cibadmin",
    "query and edit the Pacemaker configuration",
    "<command> [options]",
    (
        Entry("help", "?", text="\tThis text"),
        Entry("version", "$", text="\tVersion information"),
        Entry("verbose", "V", text="\tIncrease debug output\n"),
        Entry(text="Commands:"),
        Entry("upgrade", "u", text="\tUpgrade the configuration to the latest syntax"),
        Entry("query", "Q", text="\tQuery the contents of the CIB"),
        Entry("erase", "E", text="\tErase the contents of the whole CIB"),
        Entry("bump", "B", text="\tIncrease the CIB's epoch value by 1"),
        Entry("create", "C", text="\tCreate an object in the CIB (will fail if object already exists)"),
        Entry(
            "modify",
            "M",
            text=(
                "\tFind object somewhere in CIB's XML tree and update it (fails if object does not "
                "exist unless -c is also specified)"
            ),
        ),
        Entry("patch", "P", text="\tSupply an update in the form of an XML diff (see crm_diff(8))"),
        Entry("replace", "R", text="\tRecursively replace an object in the CIB"),
        Entry(
            "delete",
            "D",
            text='\tDelete first object matching supplied criteria (for example, <op id="rsc1_op1" name="monitor"/>)',
        ),
        Entry(text="\n\tThe XML element name and all attributes must match in order for the element to be deleted.\n"),
        Entry(
            "delete-all",
            "d",
            text=(
                "When used with --xpath, remove all matching objects in the configuration instead of just the first one"
            ),
        ),
        Entry("empty", "a", text="\tOutput an empty CIB"),
        Entry("md5-sum", "5", text="\tCalculate the on-disk CIB digest"),
        Entry("md5-sum-versioned", "6", text="Calculate an on-the-wire versioned CIB digest"),
        Entry(
            "show-access",
            "S",
            text="Whether to use syntax highlighting for ACLs (with -Q/--query and -U/--user)",
            argument=2,
        ),
        Entry(
            text=(
                '\n\tThat amounts to one of "color" (default for terminal), "text" (otherwise), '
                '"namespace", or "auto" (per former defaults).'
            )
        ),
        Entry("blank", style=Style.HIDDEN),
        Entry(text="\nAdditional options:"),
        Entry("force", "f"),
        Entry("timeout", "t", text="Time (in seconds) to wait before declaring the operation failed", argument=1),
        Entry(
            "user",
            "U",
            text="Run the command with permissions of the named user (valid only for the root and hacluster accounts)",
            argument=1,
        ),
        Entry("sync-call", "s", text="Wait for call to complete before returning"),
        Entry("local", "l", text="\tCommand takes effect locally (should be used only for queries)"),
        Entry("allow-create", "c", text="(Advanced) Allow target of --modify/-M to be created if it does not exist"),
        Entry("no-children", "n", text="(Advanced) When querying an object, do not include its children in the result"),
        Entry("no-bcast", "b", style=Style.HIDDEN),
        Entry(text="\nData:"),
        Entry("xml-text", "X", text="Retrieve XML from the supplied string", argument=1),
        Entry("xml-file", "x", text="Retrieve XML from the named file", argument=1),
        Entry("xml-pipe", "p", text="Retrieve XML from stdin\n"),
        Entry("scope", "o", text="Limit scope of operation to specific section of CIB", argument=1),
        Entry(
            text=(
                "\tValid values: configuration, nodes, resources, constraints, crm_config, "
                "rsc_defaults, op_defaults, acls, fencing-topology, tags, alerts"
            )
        ),
        Entry("xpath", "A", text="A valid XPath to use instead of --scope/-o", argument=1),
        Entry("node-path", "e", text="When performing XPath queries, return path of any matches found"),
        Entry(
            text=(
                "\t(for example, \"/cib/configuration/resources/clone[@id='ms_RH1_SCS']/primitive[@id='prm_RH1_SCS']\")"
            ),
            style=Style.PARAGRAPH,
        ),
        Entry("node", "N", text="(Advanced) Send command to the specified host", argument=1),
        Entry(text="", style=Style.HIDDEN),
        Entry(text="\n\nExamples:\n"),
        Entry(text="Query the configuration from the local node:", style=Style.PARAGRAPH),
        Entry(text=" cibadmin --query --local", style=Style.EXAMPLE),
        Entry(text="Query just the cluster options configuration:", style=Style.PARAGRAPH),
        Entry(text=" cibadmin --query --scope crm_config", style=Style.EXAMPLE),
        Entry(text="Query all 'target-role' settings:", style=Style.PARAGRAPH),
        Entry(text=" cibadmin --query --xpath \"//nvpair[@name='target-role']\"", style=Style.EXAMPLE),
        Entry(text="Remove all 'is-managed' settings:", style=Style.PARAGRAPH),
        Entry(text=" cibadmin --delete-all --xpath \"//nvpair[@name='is-managed']\"", style=Style.EXAMPLE),
        Entry(text="Remove the resource named 'old':", style=Style.PARAGRAPH),
        Entry(text=" cibadmin --delete --xml-text '<primitive id=\"old\"/>'", style=Style.EXAMPLE),
        Entry(text="Remove all resources from the configuration:", style=Style.PARAGRAPH),
        Entry(text=" cibadmin --replace --scope resources --xml-text '<resources/>'", style=Style.EXAMPLE),
        Entry(text="Replace complete configuration with contents of $HOME/pacemaker.xml:", style=Style.PARAGRAPH),
        Entry(text=" cibadmin --replace --xml-file $HOME/pacemaker.xml", style=Style.EXAMPLE),
        Entry(
            text="Replace constraints section of configuration with contents of $HOME/constraints.xml:",
            style=Style.PARAGRAPH,
        ),
        Entry(text=" cibadmin --replace --scope constraints --xml-file $HOME/constraints.xml", style=Style.EXAMPLE),
        Entry(
            text="Increase configuration version to prevent old configurations from being loaded accidentally:",
            style=Style.PARAGRAPH,
        ),
        Entry(text=" cibadmin --modify --xml-text '<cib admin_epoch=\"admin_epoch++\"/>'", style=Style.EXAMPLE),
        Entry(text="Edit the configuration with your favorite $EDITOR:", style=Style.PARAGRAPH),
        Entry(text=" cibadmin --query > $HOME/local.xml", style=Style.EXAMPLE),
        Entry(text=" $EDITOR $HOME/local.xml", style=Style.EXAMPLE),
        Entry(text=" cibadmin --replace --xml-file $HOME/local.xml", style=Style.EXAMPLE),
        Entry(
            text=(
                "Assuming terminal, render configuration in color (green for writable, blue for "
                "readable, red for denied) to visualize permissions for user tony:"
            ),
            style=Style.PARAGRAPH,
        ),
        Entry(text=" cibadmin --show-access=color --query --user tony | less -r", style=Style.EXAMPLE),
        Entry(text="SEE ALSO:"),
        Entry(text=" crm(8), pcs(8), crm_shadow(8), crm_diff(8)"),
        Entry("host", "h", text="deprecated", argument=1, style=Style.HIDDEN),
    ),
)
