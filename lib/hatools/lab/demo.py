"""The demonstration: a lab of three that serves a web page and survives the death of the node that serves it. I/O."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from importlib.resources import files
from pathlib import Path

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.messages.cib import Change, CibOperation
from hatools.lab import cluster
from hatools.lab.nodes import Lab, LabNode, create_lab, lab_folder
from hatools.runtime.kernel import is_alive
from hatools.values.errors import AlreadyExistsError, DeadlineError, HatoolsError, NoSuchObjectError, UnavailableError

WEB_ADDRESS = "127.0.0.100:8088"
SETTLE_LIMIT = 60.0
FAILOVER_LIMIT = 60.0
RESOURCES_LIMIT = 30.0


def load_base_configuration(lab: Lab, *, fencing: bool) -> None:
    """Give a new lab its properties and, if wanted, its fence device.

    Raises:
        HatoolsError: the cib refused it.
    """
    hosts = " ".join(node.name for node in lab.nodes)
    device = f"""
      <primitive id="fence-lab" class="stonith" type="fence_lab">
        <instance_attributes id="fence-lab-params">
          <nvpair id="fence-lab-params-control" name="control" value="{lab.control}"/>
          <nvpair id="fence-lab-params-pcmk_host_list" name="pcmk_host_list" value="{hosts}"/>
          <nvpair id="fence-lab-params-pcmk_action_limit" name="pcmk_action_limit" value="-1"/>
        </instance_attributes>
        <operations><op id="fence-lab-monitor-60s" name="monitor" interval="60s" timeout="20s"/></operations>
      </primitive>"""
    xml = f"""
    <configuration>
      <crm_config><cluster_property_set id="cib-bootstrap-options">
        <nvpair id="cib-bootstrap-options-stonith-enabled" name="stonith-enabled" value="{str(fencing).lower()}"/>
      </cluster_property_set></crm_config>
      <resources>{device if fencing else ""}</resources>
    </configuration>"""
    path = lab.directories(lab.nodes[0]).socket("cib")
    with BlockingConnection(path, "cib", name="crm_lab") as connection:
        connection.request(
            Change(CibOperation.MODIFY, section="configuration", xml=xml.encode(), allow_create=True, origin="crm_lab")
        )


def run_demo(*, check: bool) -> int:
    """Start the lab, load the web site, and show it live; with ``check`` play a failover and measure it instead."""
    began = time.monotonic()
    lab = _running_lab()
    _load_website(lab)
    name = _wait_for_page(RESOURCES_LIMIT)
    print(f"demo: {WEB_ADDRESS} answers from {name}, {time.monotonic() - began:.1f} s after the start", flush=True)
    if check:
        return _check_failover(lab, name)
    _say_what_to_try()
    if not sys.stdout.isatty():
        return _crm_command(lab, lab.nodes[0], "crm_mon", "-1").returncode
    with contextlib.suppress(KeyboardInterrupt):
        _crm_command(lab, lab.nodes[0], "crm_mon")
    print("demo: the lab keeps running; `crm lab status` shows it, `crm lab destroy` removes it")
    return 0


def _running_lab() -> Lab:
    folder = lab_folder()
    try:
        lab = Lab.load(folder)
    except NoSuchObjectError:
        lab = create_lab(folder, 3)
        print(f"demo: starting three nodes below {folder}", flush=True)
        cluster.boot(lab)
        cluster.wait_settled(lab, list(lab.nodes), SETTLE_LIMIT)
        load_base_configuration(lab, fencing=True)
        return lab
    if len(lab.nodes) != 3:
        raise AlreadyExistsError(
            f"{folder} holds a lab of {len(lab.nodes)} nodes; the demo needs three: "
            "remove it with `crm lab destroy`, or name another folder in HATOOLS_LAB"
        )
    running = cluster.running_supervisors(lab)
    if not running:
        print(f"demo: starting the lab found in {folder}", flush=True)
        cluster.boot(lab)
    else:
        print(f"demo: using the lab that runs in {folder}", flush=True)
    cluster.wait_settled(lab, list(lab.nodes), SETTLE_LIMIT)
    return lab


def _load_website(lab: Lab) -> None:
    text = (files("hatools.lab") / "demo.crm").read_text(encoding="utf-8").replace("@ADDRESS@", WEB_ADDRESS)
    with tempfile.NamedTemporaryFile("w", suffix=".crm", prefix="hatools-demo-", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        done = _crm_command(lab, lab.nodes[0], "crm", "configure", "load", "update", file.name, quiet=True)
    if done.returncode != 0:
        raise UnavailableError(f"the demo's configuration was refused: {done.stdout}{done.stderr}")


def _crm_command(
    lab: Lab, node: LabNode, command: str, *words: str, quiet: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run one of our commands as if on a node."""
    source = Path(__file__).resolve().parents[2]
    environment = dict(os.environ) | lab.environment(node)
    environment["PYTHONPATH"] = os.pathsep.join(p for p in (str(source), environment.get("PYTHONPATH", "")) if p)
    code = "import sys; from hatools.cli.entry import run; sys.argv[0] = sys.argv.pop(1); run(sys.argv[0])"
    return subprocess.run(
        [sys.executable, "-c", code, command, *words], env=environment, check=False, capture_output=quiet, text=True
    )


def page() -> str | None:
    """Return the name of the node that serves the page now; None if nobody does."""
    try:
        with urllib.request.urlopen(f"http://{WEB_ADDRESS}/", timeout=1) as answer:
            text: str = answer.read().decode().strip()
            return text
    except (OSError, urllib.error.URLError):
        return None


def _wait_for_page(timeout_s: float, *, other_than: str = "") -> str:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        name = page()
        if name and name != other_than:
            return name
        time.sleep(0.02)
    raise DeadlineError(
        f"nobody served http://{WEB_ADDRESS}/ within {timeout_s:g} s: see `crm lab exec node1 crm_mon -1`"
    )


def _check_failover(lab: Lab, serving: str) -> int:
    """Kill the node that serves; another must answer, after every process of the first was dead."""
    node = lab.node(serving)
    processes = cluster.node_processes(lab, node)
    if not processes:
        raise UnavailableError(f"{serving} serves the page but has no processes")
    print(f"demo: killing {serving} with its {len(processes)} processes", flush=True)
    killed = time.monotonic()
    cluster.command_node(lab, node, "kill")
    survivors = [pid for pid in processes if is_alive(pid)]
    dead = time.monotonic()
    answering = _wait_for_page(FAILOVER_LIMIT, other_than=serving)
    answered = time.monotonic()
    failures = []
    if survivors:
        failures.append(f"processes {survivors} of {serving} lived on")
    if answering == serving:
        failures.append("the killed node answered")
    print(f"demo: every process of {serving} was dead after {dead - killed:.2f} s")
    print(f"demo: {answering} answered {answered - killed:.2f} s after the kill")
    others = [other for other in lab.nodes if other != node]
    try:
        cluster.wait_settled(lab, others, SETTLE_LIMIT)
        print(f"demo: the cluster settled {time.monotonic() - killed:.2f} s after the kill")
    except HatoolsError as error:
        failures.append(str(error))
    for failure in failures:
        print(f"demo: FAILED: {failure}")
    if not failures:
        print("demo: passed")
    cluster.shut_down(lab, hard=True)
    cluster.destroy(lab.folder)
    return 1 if failures else 0


def _say_what_to_try() -> None:
    print(
        f"""
  Try in another terminal:
    curl http://{WEB_ADDRESS}/          which node serves the page
    bin/crm lab kill node1                pull the plug of a node, then curl again
    bin/crm lab cut node2                 take its network away
    bin/crm lab status                    the nodes and their power
    bin/crm lab exec node1 crm configure show
    bin/crm lab destroy                   remove everything
""",
        flush=True,
    )
