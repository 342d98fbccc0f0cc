"""``crm lab``: the words a person uses on a lab. I/O."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hatools.lab import cluster
from hatools.lab.nodes import DEFAULT_PORT, Lab, LabNode, create_lab, lab_folder
from hatools.values.duration import parse_duration_ms
from hatools.values.errors import AlreadyExistsError, InputError, NoSuchObjectError, UsageError
from hatools.values.records import dataclass

HELP = """\
A cluster of several nodes on this machine: real daemons, real sockets, real agents, no root.

  crm lab start [N] [--port PORT] [--token MS] [--messaging STYLE] [--no-fencing]
                            make a lab of N nodes (default 3) and start it, or start a stopped one again;
                            STYLE is corosync (default) or heartbeat
  crm lab status            power, processes and controller of each node
  crm lab kill NODE         power off: every process of the node dies at once
  crm lab boot NODE         power on
  crm lab pause NODE        freeze every process; resume NODE lets them run again
  crm lab cut NODE [PEER]   drop all messages between NODE and PEER (default: all others)
  crm lab slow NODE TIME    delay all messages of NODE (for example 50ms)
  crm lab heal              undo all cuts and delays
  crm lab stop [NODE]       shut down in order, resources first
  crm lab exec NODE CMD...  run a command as if on NODE (for example: crm lab exec node1 crm_mon -1)
  crm lab env [NODE]        print the variables that make a shell part of NODE
  crm lab destroy [--force] cut the power and remove the lab with all its files
  crm lab demo [--check]    start a lab of three, load a web server and watch it

A lab lives in $HATOOLS_LAB, else $XDG_STATE_HOME/hatools/lab; --dir FOLDER names another one (not for exec and demo).
"""


@dataclass(frozen=True, slots=True)
class _Words:
    """The words after the command, with ``--name value`` options taken out."""

    names: list[str]
    options: dict[str, str]


_WITH_VALUE = ("--port", "--token", "--timeout", "--dir", "--messaging")

_OPTIONS = {
    "start": ("--port", "--token", "--timeout", "--dir", "--messaging", "--no-fencing"),
    "destroy": ("--force", "--dir"),
    "demo": ("--check",),
}
_USUAL_OPTIONS = ("--dir",)


def main(argv: list[str]) -> int:
    """Carry out one lab command; return its exit status."""
    if not argv or argv[0] in ("help", "-h", "--help"):
        print(HELP, end="")
        return 0
    action = _ACTIONS.get(argv[0])
    if action is None:
        raise UsageError(f"`crm lab {argv[0]}` does not exist: the commands are {', '.join(_ACTIONS)}")
    rest = argv[1:]
    if argv[0] != "exec" and ("--help" in rest or "-h" in rest):
        print(HELP, end="")
        return 0
    words = _Words(rest, {}) if argv[0] == "exec" else _split(rest)
    known = _OPTIONS.get(argv[0], _USUAL_OPTIONS)
    for name in words.options:
        if name not in known:
            raise UsageError(f"`crm lab {argv[0]}` has no option {name}: it has {', '.join(known)}")
    return action(words)


def _split(argv: list[str]) -> _Words:
    names: list[str] = []
    options: dict[str, str] = {}
    position = 0
    while position < len(argv):
        word = argv[position]
        if word.startswith("--"):
            name, separator, value = word.partition("=")
            if name in _WITH_VALUE and not separator:
                position += 1
                if position >= len(argv):
                    raise UsageError(f"{name} needs a value")
                value = argv[position]
            options[name] = value
        else:
            names.append(word)
        position += 1
    return _Words(names, options)


def _folder(words: _Words) -> Path:
    return Path(words.options["--dir"]).absolute() if "--dir" in words.options else lab_folder()


def _lab(words: _Words) -> Lab:
    return Lab.load(_folder(words))


def _node(lab: Lab, words: _Words, position: int = 0) -> LabNode:
    if len(words.names) <= position:
        raise UsageError(f"name a node: one of {', '.join(node.name for node in lab.nodes)}")
    return lab.node(words.names[position])


def _integer(words: _Words, name: str, default: int) -> int:
    text = words.options.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise InputError(f"{name} takes a whole number, not {text!r}")
    return int(text)


def _start(words: _Words) -> int:
    folder = _folder(words)
    began = time.monotonic()
    fresh = False
    try:
        lab = Lab.load(folder)
    except NoSuchObjectError:
        if words.names and not words.names[0].isdigit():
            raise UsageError(f"`crm lab start {words.names[0]}`: give the number of nodes") from None
        lab = create_lab(
            folder,
            int(words.names[0]) if words.names else 3,
            port=_integer(words, "--port", DEFAULT_PORT),
            token_ms=_integer(words, "--token", 1000),
            messaging=words.options.get("--messaging", "corosync"),
        )
        fresh = True
    if not fresh:
        _refuse_second_start(lab, words)
    _say(f"starting {len(lab.nodes)} nodes below {lab.folder}")
    cluster.boot(lab)
    leader = cluster.wait_settled(lab, list(lab.nodes), float(_integer(words, "--timeout", 60)))
    if fresh:
        from hatools.lab.demo import load_base_configuration

        load_base_configuration(lab, fencing="--no-fencing" not in words.options)
        leader = cluster.wait_settled(lab, list(lab.nodes), float(_integer(words, "--timeout", 60)))
    _say(f"{len(lab.nodes)} nodes online, DC is {leader.dc} ({time.monotonic() - began:.1f} s)")
    _say(f"try: crm lab exec {lab.nodes[0].name} crm_mon -1   |   eval $(crm lab env)   |   crm lab help")
    return 0


def _refuse_second_start(lab: Lab, words: _Words) -> None:
    running = cluster.running_supervisors(lab)
    if running:
        raise AlreadyExistsError(
            f"a lab of {len(lab.nodes)} nodes already runs in {lab.folder}: "
            "see `crm lab status`, or end it with `crm lab destroy`"
        )
    wanted = words.names[0] if words.names else str(len(lab.nodes))
    if wanted != str(len(lab.nodes)):
        raise AlreadyExistsError(
            f"{lab.folder} holds a stopped lab of {len(lab.nodes)} nodes, not {wanted}: "
            "start that with `crm lab start`, or remove it first with `crm lab destroy`"
        )
    _say(f"found a stopped lab of {len(lab.nodes)} nodes, starting it again with its configuration")


def _stop(words: _Words) -> int:
    lab = _lab(words)
    if words.names:
        cluster.command_node(lab, _node(lab, words), "stop")
        _say(f"{words.names[0]} is shut down")
        return 0
    cluster.shut_down(lab)
    _say("the lab is shut down; `crm lab start` starts it again")
    return 0


def _status(words: _Words) -> int:
    from tabulate import tabulate

    rows = []
    lab = _lab(words)
    for entry in cluster.report(lab):
        state = entry.controller
        rows.append(
            (
                entry.node.name,
                f"{entry.node.address}:{lab.port}",
                entry.power,
                entry.processes,
                state.state if state else "-",
                state.dc if state and state.dc else "-",
            )
        )
    print(tabulate(rows, headers=("node", "address", "power", "processes", "controller", "DC")))
    return 0 if any(row[2] == "up" for row in rows) else 1


def _kill(words: _Words) -> int:
    lab = _lab(words)
    node = _node(lab, words)
    cluster.command_node(lab, node, "kill")
    _say(f"{node.name} is dead: no process of it lives any more")
    return 0


def _simple(command: str, done: str) -> Callable[[_Words], int]:
    def action(words: _Words) -> int:
        lab = _lab(words)
        node = _node(lab, words)
        cluster.command_node(lab, node, command)
        _say(f"{node.name} {done}")
        return 0

    return action


def _cut(words: _Words) -> int:
    lab = _lab(words)
    node = _node(lab, words)
    peers = [_node(lab, words, 1)] if len(words.names) > 1 else [peer for peer in lab.nodes if peer != node]
    cluster.cut(lab, node, peers)
    _say(f"{node.name} is cut off from {', '.join(peer.name for peer in peers)}; `crm lab heal` undoes it")
    return 0


def _slow(words: _Words) -> int:
    lab = _lab(words)
    node = _node(lab, words)
    text = words.names[1] if len(words.names) > 1 else ""
    delay = parse_duration_ms(text)
    if delay is None or delay < 0:
        raise UsageError("give a delay, for example `crm lab slow node1 50ms`")
    cluster.slow(lab, node, delay)
    _say(f"messages of {node.name} take {delay} ms longer; `crm lab heal` undoes it")
    return 0


def _heal(words: _Words) -> int:
    cluster.heal(_lab(words))
    _say("all cuts and delays are undone")
    return 0


def _destroy(words: _Words) -> int:
    folder = _folder(words)
    try:
        lab = Lab.load(folder)
    except InputError:
        if "--force" not in words.options:
            raise
    else:
        cluster.shut_down(lab, hard=True)
    cluster.destroy(folder)
    _say(f"the lab is gone, {folder} is removed")
    return 0


def node_environment(lab: Lab, node: LabNode) -> dict[str, str]:
    """Return an environment in which commands are this node's: its root, and our commands first in PATH."""
    programs = Path(sys.argv[0]).resolve().parent
    environment = dict(os.environ) | lab.environment(node)
    if (programs / "crm_mon").exists():
        environment["PATH"] = os.pathsep.join((str(programs), environment.get("PATH", "")))
    return environment


def _exec(words: _Words) -> int:
    lab = _lab(words)
    if len(words.names) < 2:
        raise UsageError("give a node and a command, for example `crm lab exec node1 crm_mon -1`")
    environment = node_environment(lab, _node(lab, words))
    program = shutil.which(words.names[1], path=environment["PATH"])
    if program is None:
        raise NoSuchObjectError(f"the command {words.names[1]} was not found")
    try:
        return subprocess.run([program, *words.names[2:]], env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _env(words: _Words) -> int:
    lab = _lab(words)
    node = lab.node(words.names[0]) if words.names else lab.nodes[0]
    for name, value in lab.environment(node).items():
        print(f"export {name}='{value}'")
    return 0


def _demo(words: _Words) -> int:
    from hatools.lab.demo import run_demo

    return run_demo(check="--check" in words.options)


def _say(text: str) -> None:
    print(f"lab: {text}", flush=True)


_ACTIONS: dict[str, Callable[[_Words], int]] = {
    "start": _start,
    "stop": _stop,
    "status": _status,
    "kill": _kill,
    "boot": _simple("start", "is powered on"),
    "pause": _simple("pause", "is frozen; `crm lab resume` lets it run again"),
    "resume": _simple("resume", "runs again"),
    "cut": _cut,
    "heal": _heal,
    "slow": _slow,
    "exec": _exec,
    "env": _env,
    "destroy": _destroy,
    "demo": _demo,
}
