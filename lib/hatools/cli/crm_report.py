"""``crm_report``: everything needed to look into a problem of the cluster, in one archive. I/O."""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from datetime import datetime, timedelta
from pathlib import Path

from hatools.cli.gnu_options import Entry, GnuLine, parse
from hatools.cli.nodename import local_node_name
from hatools.cli.options import FEATURES, VERSION
from hatools.cli.report.collect import Collector
from hatools.cli.report.masking import Masker
from hatools.cli.report.period import Period
from hatools.runtime.directories import Directories
from hatools.shell.history.times import parse_moment
from hatools.values.errors import HatoolsError
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass, field

HELP = """crm_report - Create archive of everything needed when reporting cluster problems


Usage: crm_report [options] [DEST]

Required option:
  -f, --from TIME       time prior to problems beginning
                        (as "YYYY-M-D H:M:S" including the quotes)

Options:
  -V                    increase verbosity (may be specified multiple times)
  -h, --help            display this message
  -v, --version         display software version
  --features            display software features
  -t, --to TIME         time at which all problems were resolved
                        (as "YYYY-M-D H:M:S" including the quotes; default "now")
  -T, --cts TEST        CTS test or set of tests to extract
  --cts-log             CTS master logfile
  -n, --nodes NODES     node names for this cluster (only needed if cluster is
                        not active on this host; accepts -n "a b" or -n a -n b)
  -M                    do not search for cluster logs
  -l, --logfile FILE    log file to collect (in addition to detected logs if -M
                        is not specified; may be specified multiple times)
  -p PATT               additional regular expression to match variables to be
                        masked in output (default: "passw.*")
  -L PATT               additional regular expression to match in log files for
                        analysis (default: CRIT: ERROR:)
  -S, --single-node     don't attempt to collect data from other nodes
  -c, --cluster TYPE    force the cluster type instead of detecting
                        (currently only corosync is supported)
  -C, --corosync        force the cluster type to be corosync
  -u, --user USER       username to use when collecting data from other nodes
                        (default root)
  -D, --max-depth       search depth to use when attempting to locate files
  -e, --rsh             command to use to run commands on other nodes
                        (default ssh -T)
  -d, --as-directory    leave result as a directory tree instead of archiving
  --sos-mode            use defaults suitable for being called by sosreport tool
                        (behavior subject to change and not useful to end users)
  DEST, --dest DEST     custom destination directory or file name

crm_report works best when run from a cluster node on a running cluster,
but can be run from a stopped cluster node or a Pacemaker Remote node.

If neither --nodes nor --single-node is given, crm_report will guess the
node list, but may have trouble detecting Pacemaker Remote nodes.
Unless --single-node is given, the node names (whether specified by --nodes
or detected automatically) must be resolvable and reachable via the command
specified by -e/--rsh using the user specified by -u/--user.

Examples:
   crm_report -f "2011-12-14 13:05:00" unexplained-apache-failure
   crm_report -f 2011-12-14 -t 2011-12-15 something-that-took-multiple-days
   crm_report -f 13:05:00   -t 13:12:00   brief-outage
"""

ENTRIES = (
    Entry("from", "f", argument=1),
    Entry("to", "t", argument=1),
    Entry("cts", "T", argument=1),
    Entry("cts-log", argument=1),
    Entry("nodes", "n", argument=1),
    Entry("", "M"),
    Entry("logfile", "l", argument=1),
    Entry("", "p", argument=1),
    Entry("", "L", argument=1),
    Entry("single-node", "S"),
    Entry("cluster", "c", argument=1),
    Entry("corosync", "C"),
    Entry("user", "u", argument=1),
    Entry("max-depth", "D", argument=1),
    Entry("rsh", "e", argument=1),
    Entry("as-directory", "d"),
    Entry("sos-mode"),
    Entry("dest", argument=1),
    Entry("verbose", "V"),
    Entry("help", "h"),
    Entry("version", "v"),
    Entry("features"),
    Entry("collect"),  # what this command asks of itself on other nodes: an archive on standard output
    Entry("history"),  # with it: only logs, scheduler inputs and the CIB
)

_DEFAULT_SECRETS = ["passw.*"]
_DEFAULT_EVENTS = ["CRIT:", "ERROR:", r"\b(?:crit|error):"]
_SSH_LIMIT_S = 600


@dataclass(slots=True)
class _Request:
    period: Period
    nodes: list[str] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    search_logs: bool = True
    single: bool = False
    user: str = "root"
    shell: str = ""
    as_directory: bool = False
    collect_only: bool = False
    history_only: bool = False
    dest: str = ""


class _Wrong(Exception):
    """The command line cannot be used."""


def main(argv: list[str]) -> int:
    """Collect, locally and from other nodes, and pack."""
    line = parse(ENTRIES, argv, "crm_report")
    if line.errors:
        print("\n".join(line.errors), file=sys.stderr)
        return ExitCode.USAGE
    if line.has("h") or not argv:
        print(HELP, end="")
        return ExitCode.OK
    if line.has("v"):
        print(f"crm_report {VERSION}")
        return ExitCode.OK
    if line.has("features"):
        print(f"{VERSION}: {FEATURES}")
        return ExitCode.OK
    name = _local_name()
    try:
        request = _request_from(line)
        return _collect_only(request, name) if request.collect_only else _report(request, name)
    except _Wrong as wrong:
        _say(name, f"ERROR: {wrong}")
        return ExitCode.USAGE
    except OSError as error:
        _say(name, f"ERROR: {error.filename}: {error.strerror}")
        return ExitCode.CANTCREAT


def _say(node: str, text: str) -> None:
    print(f"{node + ':':<11} {text}", file=sys.stderr)


def _local_name() -> str:
    try:
        return local_node_name(os.environ)
    except HatoolsError:
        return os.environ.get("HATOOLS_NODE_NAME") or os.uname().nodename


def _request_from(line: GnuLine) -> _Request:
    """Fold the options.

    Raises:
        _Wrong: a time or pattern cannot be read, or an option is not there.
    """
    if line.has("T") or line.has("cts-log"):
        raise _Wrong("reports of Pacemaker's own test suite are not supported")
    if line.has("c") and line.get("c") not in ("corosync", "heartbeat"):
        raise _Wrong(f"unknown cluster type {line.get('c')}")
    now = datetime.now().replace(microsecond=0)
    sos = line.has("sos-mode")
    start = line.get("f") or ("00:00" if sos else None)
    if start is None:
        raise _Wrong("Not sure what to do, no tests or time ranges to extract")
    times = [parse_moment(text, now) for text in (start, line.get("t") or "now")]
    if times[0] is None or times[1] is None:
        raise _Wrong(f"'{start if times[0] is None else line.get('t')}' is no time; write \"YYYY-M-D H:M:S\"")
    request = _Request(Period(times[0], times[1]))
    request.nodes = [node for value in _all(line, "n") for node in value.split()]
    request.logs = [Path(value) for value in _all(line, "l")]
    request.secrets = _DEFAULT_SECRETS + _all(line, "p")
    request.events = _DEFAULT_EVENTS + _all(line, "L")
    for pattern in (*request.secrets, *request.events):
        try:
            re.compile(pattern)
        except re.error as error:
            raise _Wrong(f"'{pattern}' is no regular expression: {error}") from None
    request.search_logs = not line.has("M")
    request.single = line.has("S") or sos
    request.user = line.get("u") or "root"
    request.shell = line.get("e") or ("ssh -T" if line.has("u") else "")
    request.as_directory = line.has("d") or sos
    request.collect_only = line.has("collect")
    request.history_only = line.has("history")
    request.dest = line.get("dest") or (line.rest[0] if line.rest else f"pcmk-{now:%a-%d-%b-%Y}")
    return request


def _all(line: GnuLine, name: str) -> list[str]:
    return [value for event, value in line.events if event == name and value is not None]


def _report(request: _Request, local: str) -> int:
    folder = Path(request.dest)
    archive = folder.with_name(f"{folder.name}.tar.bz2")
    if folder.exists() or archive.exists():
        raise _Wrong(f"{folder if folder.exists() else archive} exists already; name another destination")
    nodes = [local] if request.single else _nodes(request, local)
    _say(local, f"Collecting data from {' '.join(nodes)} ({request.period})")
    folder.mkdir(parents=True)
    missing = []
    for node in nodes:
        if node == local:
            _collect(request, folder / node)
        elif not _fetch(request, local, node, folder):
            missing.append(node)
    (folder / "analysis.txt").write_text(_analysis(folder, nodes, missing), encoding="utf-8")
    (folder / "description.txt").write_text(
        "Please describe the problem here: what was expected, what happened instead, and when.\n", encoding="utf-8"
    )
    result = folder
    if not request.as_directory:
        with tarfile.open(archive, "w:bz2") as tar:
            tar.add(folder, folder.name)
        shutil.rmtree(folder)
        result = archive
    for node in missing:
        _say(local, f"WARNING: nothing could be collected from {node}")
    print(f" \nCollected results are available in {result}\n ", file=sys.stderr)
    return ExitCode.OK


def _nodes(request: _Request, local: str) -> list[str]:
    """Return the nodes to collect from: those given, else those the cluster knows."""
    if request.nodes:
        return request.nodes
    from hatools.ipc.clients.crmd import BlockingController

    try:
        controller = BlockingController(name="crm_report")
    except HatoolsError:
        _say(local, "WARNING: the cluster does not run here; collecting from this node only")
        return [local]
    try:
        names = [node.name for node in controller.nodes().nodes]
    finally:
        controller.close()
    return names if local in names else [local, *names]


def _collect(request: _Request, folder: Path) -> None:
    collector = Collector(Directories.from_environment(), folder, request.period, Masker(request.secrets))
    events = "|".join(request.events)
    if request.history_only:
        collector.run_for_history(events)
    else:
        collector.run(request.logs, events, search_logs=request.search_logs)


def _collect_only(request: _Request, local: str) -> int:
    """Write this node's part as an archive to standard output."""
    sys.stdout.buffer.write(_packed(request, local))
    return ExitCode.OK


def _packed(request: _Request, local: str) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="crm_report-") as scratch:
        folder = Path(scratch) / local
        _collect(request, folder)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
            tar.add(folder, local)
    return buffer.getvalue()


def packed_history(since: str) -> bytes:
    """Return this node's logs, scheduler inputs and CIB since a time (``YYYY-MM-DD H:M:S``), as an archive."""
    now = datetime.now().replace(microsecond=0)
    request = _Request(Period(parse_moment(since, now) or now, now + timedelta(seconds=1)))
    request.secrets, request.events, request.history_only = _DEFAULT_SECRETS, _DEFAULT_EVENTS, True
    return _packed(request, _local_name())


def _fetch(request: _Request, local: str, node: str, folder: Path) -> bool:
    """Have another node collect its part; say whether that worked.

    Nodes are asked over the channel, or with a remote shell if one is named or the channel does not reach them.
    """
    words = _words_for_others(request)
    data = _over_channel(local, node, words) if not request.shell else None
    if data is None:
        data = _over_shell(request, local, node, words)
    if data is None:
        return False
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
            tar.extractall(folder, filter="data")
    except (OSError, tarfile.TarError) as error:
        _say(local, f"{node}: {error}")
        return False
    return True


def _over_channel(local: str, node: str, words: list[str]) -> bytes | None:
    from hatools.shell.members import Members

    received = bytearray()
    try:
        members = Members()
        with members.connect(members.find(node)) as connection:
            ended = connection.run(
                words,
                on_output=lambda piece: None if piece.is_error else received.extend(piece.data),
                timeout_s=_SSH_LIMIT_S,
            )
    except (HatoolsError, ValueError) as error:
        _say(local, f"{node}: {error}")
        return None
    return bytes(received) if ended.status == 0 else None


def _words_for_others(request: _Request) -> list[str]:
    form = "%Y-%m-%d %H:%M:%S"
    words = ["crm_report", "--collect", "-f", f"{request.period.start:{form}}", "-t", f"{request.period.end:{form}}"]
    for letter, values in (("-p", request.secrets), ("-L", request.events), ("-l", request.logs)):
        for value in values:
            words += [letter, str(value)]
    if not request.search_logs:
        words.append("-M")
    return words


def _over_shell(request: _Request, local: str, node: str, words: list[str]) -> bytes | None:
    shell = shlex.split(request.shell or "ssh -T -o BatchMode=yes -o ConnectTimeout=5")
    command = [*shell, f"{request.user}@{node}", shlex.join(words)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SSH_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        _say(local, f"{node}: {error}")
        return None
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines()
        _say(local, f"{node}: {reason[-1] if reason else f'exit status {done.returncode}'}")
        return None
    return done.stdout


def _analysis(folder: Path, nodes: list[str], missing: list[str]) -> str:
    """Compare the nodes' files and list what the logs complain of."""
    there = [node for node in nodes if node not in missing]
    lines = [f"Nodes: {' '.join(nodes)}" + (f" (nothing from: {' '.join(missing)})" if missing else ""), ""]
    for name in ("cib.xml", "corosync.conf", "members.txt"):
        texts = {node: _read(folder / node / name) for node in there}
        if len(set(texts.values())) <= 1:
            lines.append(f"Diff {name}... OK")
        else:
            differing = [node for node in there if texts[node] != texts[there[0]]]
            lines.append(f"Diff {name}... {' '.join(differing)} differ from {there[0]}")
    for name in ("crm_verify.txt", "events.txt"):
        for node in there:
            text = _read(folder / node / name)
            if text.strip():
                lines += ["", f"{name} of {node}:", text.rstrip()]
    return "\n".join(lines) + "\n"


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
