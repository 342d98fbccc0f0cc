"""crm_resource, crm_attribute and their relatives on a CIB file answer as Pacemaker 2.1.5's do.

Source of every case: the commands of Debian 12's pacemaker-cli-utils 2.1.5, run on the same file.
"""

import sys
from importlib import import_module
from pathlib import Path

import pytest

CIB = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="7" admin_epoch="1">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="o1" name="stonith-enabled" value="false"/>
      </cluster_property_set>
    </crm_config>
    <nodes><node id="1" uname="alpha"/><node id="2" uname="beta"/></nodes>
    <resources>
      <primitive id="ip" class="ocf" provider="heartbeat" type="IPaddr2">
        <instance_attributes id="ip-params"><nvpair id="ip-addr" name="ip" value="192.0.2.1"/></instance_attributes>
      </primitive>
      <clone id="c"><primitive id="d" class="ocf" provider="pacemaker" type="Dummy"/></clone>
    </resources>
    <constraints/>
  </configuration>
  <status>
    <tickets><ticket_state id="T" granted="true" last-granted="1600000000"/></tickets>
    <node_state id="1" uname="alpha" in_ccm="true" crmd="online" join="member" expected="member">
      <transient_attributes id="1"><instance_attributes id="status-1">
        <nvpair id="status-1-f" name="fail-count-ip#monitor_10000" value="2"/>
      </instance_attributes></transient_attributes>
      <lrm id="1"><lrm_resources>
        <lrm_resource id="ip" class="ocf" provider="heartbeat" type="IPaddr2">
          <lrm_rsc_op id="ip_last_0" operation_key="ip_start_0" operation="start" crm_feature_set="3.16.1"
            transition-key="2:1:0:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
            transition-magic="0:0;2:1:0:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
            call-id="2" rc-code="0" op-status="0" interval="0" last-rc-change="1600000000" exec-time="0"/>
        </lrm_resource>
      </lrm_resources></lrm>
    </node_state>
  </status>
</cib>
"""


class Commands:
    """Runs commands on one CIB file."""

    def __init__(self, file: Path, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = file
        self._capture = capture
        self._monkeypatch = monkeypatch

    def __call__(self, command: str, *argv: str) -> tuple[int, str, str]:
        self._monkeypatch.setattr(sys, "argv", [command, *argv])
        code = import_module(f"hatools.cli.{command}").main(list(argv))
        printed = self._capture.readouterr()
        return code, printed.out, printed.err


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Commands:
    file = tmp_path / "cib.xml"
    file.write_text(CIB)
    for name in ("CIB_shadow", "CIB_user", "PCMK_stderr", "OCF_RESOURCE_INSTANCE", "OCF_RESKEY_CRM_meta_on_node"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CIB_file", str(file))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LC_ALL", "C")
    return Commands(file, capsys, monkeypatch)


@pytest.mark.parametrize(
    ("command", "argv", "answer"),
    [
        (
            "crm_attribute",
            ["-n", "stonith-enabled", "-G"],
            (0, "scope=crm_config  name=stonith-enabled value=false\n", ""),
        ),
        ("crm_attribute", ["-n", "nope", "-Gq", "-d", "x"], (0, "x\n", "")),
        (
            "crm_attribute",
            ["-n", "nope", "-G"],
            (105, "", "crm_attribute: Error performing operation: No such device or address\n"),
        ),
        ("crm_attribute", ["-N", "x", "-n", "a", "-G"], (105, "", "crm_attribute: Could not map name=x to a UUID\n")),
        ("crm_failcount", ["-G", "-r", "ip", "-N", "alpha"], (0, "scope=status  name=fail-count-ip value=2\n", "")),
        ("crm_standby", ["-G", "-N", "beta"], (0, "scope=status  name=standby value=off\n", "")),
        ("crm_ticket", ["-l"], (0, "T\tgranted           last-granted='Sun Sep 13 12:26:40 2020'\n", "")),
        ("crm_resource", ["-l"], (0, "ip\nd:0\nd:1\n", "")),
        ("crm_resource", ["-W", "-r", "ip"], (0, "resource ip is running on: alpha\n", "")),
        ("crm_resource", ["-W", "-r", "d"], (0, "", "resource d is NOT running\n")),
        ("crm_resource", ["-r", "ip", "-g", "ip"], (0, "192.0.2.1\n", "")),
        ("crm_resource", ["-r", "ip", "-g", "nic"], (0, "", "Attribute 'nic' not found for 'ip'\n")),
        ("crm_resource", ["-r", "c", "--why"], (0, "Resource c is not running\n", "")),
        (
            "crm_resource",
            ["-W", "-r", "nope"],
            (105, "", "crm_resource: Resource 'nope' not found\nError performing operation: No such object\n"),
        ),
        ("crm_resource", ["-g", "ip"], (64, "", "crm_resource: Must supply a resource id with -r\n")),
        (
            "crm_resource",
            ["-L"],
            (
                0,
                "Full List of Resources:\n"
                "  * ip\t(ocf:heartbeat:IPaddr2):\t Started\n"
                "  * Clone Set: c [d]:\n"
                "    * Stopped: [ alpha beta ]\n",
                "",
            ),
        ),
        ("crm_error", ["-n", "-X", "--", "105"], (0, "CRM_EX_NOSUCH - No such object\n", "")),
    ],
)
def test_queries(run: Commands, command: str, argv: list[str], answer: tuple[int, str, str]) -> None:
    assert run(command, *argv) == answer
    assert run.file.read_text() == CIB


@pytest.mark.parametrize(
    ("command", "argv", "words", "version"),
    [
        ("crm_attribute", ["-n", "a", "-v", "b"], '<nvpair id="cib-bootstrap-options-a" name="a" value="b"/>', "1.6.0"),
        (
            "crm_attribute",
            ["-N", "alpha", "-l", "reboot", "-n", "a", "-v", "1"],
            '<nvpair id="status-1-a" name="a" value="1"/>',
            "1.5.8",
        ),
        (
            "crm_standby",
            ["-N", "alpha", "-v", "on"],
            '<nvpair id="nodes-1-standby" name="standby" value="on"/>',
            "1.6.0",
        ),
        (
            "crm_master",
            ["-r", "d", "-N", "alpha", "-l", "reboot", "-v", "5"],
            '<nvpair id="status-1-master-d" name="master-d" value="5"/>',
            "1.5.8",
        ),
        (
            "crm_resource",
            ["-r", "d", "-m", "-p", "is-managed", "-v", "false"],
            '<nvpair id="c-meta_attributes-is-managed" name="is-managed" value="false"/>',
            "1.6.0",
        ),
        (
            "crm_resource",
            ["-r", "ip", "--ban"],
            '<rsc_location id="cli-ban-ip-on-alpha" rsc="ip" role="Started" node="alpha" score="-INFINITY"/>',
            "1.6.0",
        ),
        (
            "crm_resource",
            ["-r", "ip", "-M", "-N", "beta"],
            '<rsc_location id="cli-prefer-ip" rsc="ip" role="Started" node="beta" score="INFINITY"/>',
            "1.6.0",
        ),
        ("crm_ticket", ["-t", "T", "-s"], 'last-granted="1600000000" standby="true"', "1.5.8"),
    ],
)
def test_changes(run: Commands, command: str, argv: list[str], words: str, version: str) -> None:
    code, _, errors = run(command, *argv)
    assert (code, errors) == (0, "")
    text = run.file.read_text()
    assert words in text
    admin_epoch, epoch, updates = version.split(".")
    for name, value in (("admin_epoch", admin_epoch), ("epoch", epoch), ("num_updates", updates)):
        assert f'{name}="{value}"' in text


def test_a_move_is_taken_back_by_clearing(run: Commands) -> None:
    run("crm_resource", "-r", "ip", "-M", "-N", "beta")
    assert run("crm_resource", "-r", "ip", "-U") == (0, "Removing constraint: cli-prefer-ip\n", "")
    assert "rsc_location" not in run.file.read_text()


def test_a_resource_is_not_moved_to_where_it_is(run: Commands) -> None:
    assert run("crm_resource", "-r", "ip", "-M", "-N", "alpha") == (
        108,
        "",
        "crm_resource: Error performing operation: Requested item already exists\n",
    )


def test_a_ticket_is_not_revoked_without_force(run: Commands) -> None:
    code, printed, errors = run("crm_ticket", "-t", "T", "-r")
    assert (code, errors) == (4, "crm_ticket: Ticket modification not allowed\n")
    assert "please specify --force." in printed
    assert run.file.read_text() == CIB


def test_nothing_is_restarted_in_a_file(run: Commands) -> None:
    code, _, errors = run("crm_resource", "-r", "ip", "--restart")
    assert (code, run.file.read_text()) == (69, CIB)
    assert "needs a running cluster" in errors


def test_without_a_cluster_commands_say_so(run: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CIB_file")
    monkeypatch.setenv("HATOOLS_ROOT", str(tmp_path))
    assert run("crm_attribute", "-n", "a", "-G") == (
        102,
        "",
        "crm_attribute: Could not connect to the CIB: Transport endpoint is not connected\n",
    )
