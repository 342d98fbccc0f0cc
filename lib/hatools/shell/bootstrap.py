"""Making a cluster and letting nodes join it, without ssh. I/O.

A node of the cluster invites (``cluster add``): it listens with a certificate made for the occasion
and prints a token, which holds the certificate's fingerprint and a secret. The new node
(``cluster join``) connects, checks the fingerprint, shows the secret and gets corosync.conf and
authkey. A token works once and for a limited time.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import socket
import ssl
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.runtime.directories import Directories
from hatools.shell.commands import CommandError
from hatools.shell.corosync import add_node, conf_path, get_values, read_text
from hatools.values.records import dataclass

if TYPE_CHECKING:
    from hatools.shell.session import Session

DEFAULT_PORT = 7630
_INVITATION_S = 15 * 60
_ANSWER_S = 15.0
_ATTEMPTS = 3
_LONGEST_LINE = 1 << 20
_KEY_BYTES = 256

_CONF = """totem {{
    version: 2
    cluster_name: {name}
    transport: udpu
    token: 1000
    config_version: 1
}}
nodelist {{
    node {{
        ring0_addr: {address}
        name: {node}
        nodeid: 1
    }}
}}
quorum {{
    provider: corosync_votequorum
    two_node: 0
}}
logging {{
    to_logfile: yes
    logfile: /var/log/cluster/corosync.log
    timestamp: on
}}
"""


@dataclass(slots=True)
class _Options:
    """What stands behind ``init``, ``add`` or ``join``."""

    yes: bool = False
    name: str = "hacluster"
    host: str = ""
    address: str = ""
    token: str = ""
    port: int = DEFAULT_PORT


def _read(args: Sequence[str], known: str) -> _Options:
    """Read options; ``known`` lists the letters that take part."""
    options = _Options()
    words = list(args)
    names = {"-n": "name", "-c": "host", "-i": "address", "--token": "token", "--port": "port"}
    while words:
        word = words.pop(0)
        if word in ("-y", "-q", "--yes"):
            options.yes = True
            continue
        field = names.get(word)
        if field is None or field not in known.split():
            raise CommandError(
                f"unknown option {word}: expected -y {' '.join(k for k, v in names.items() if v in known)}"
            )
        if not words:
            raise CommandError(f"{word} needs a value")
        value = words.pop(0)
        if field == "port":
            if not value.isdigit():
                raise CommandError(f"--port needs a number, not '{value}'")
            options.port = int(value)
        else:
            setattr(options, field, value)
    return options


def _own_address(host: str | None = None) -> str:
    """Return the address of this node from which others (or ``host``) are reached."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host or "192.0.2.1", 9))  # nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            raise CommandError("no address of this node found: name it with -i") from None


def _key_path() -> Path:
    return Directories.from_environment().corosync_authkey


def _start(session: "Session") -> bool:
    from hatools.shell.context import Context
    from hatools.shell.levels.cluster import Cluster
    from hatools.shell.levels.root import Root

    return Cluster(session).do_start(Context(session, Root))


def init(session: "Session", args: Sequence[str]) -> bool:
    """Set up a cluster of one node here, and start it."""
    from hatools.messaging.corosync.authkey import store_key

    options = _read(args, "name address")
    if conf_path().exists() and not options.yes:
        question = f"{conf_path()} exists. Replace it and make a new cluster?"
        if not session.console.ask(question):
            raise CommandError(f"{conf_path()} exists: this node belongs to a cluster already")
    address = options.address or _own_address()
    conf_path().parent.mkdir(parents=True, exist_ok=True)
    store_key(_key_path(), secrets.token_bytes(_KEY_BYTES))
    conf_path().write_text(_CONF.format(name=options.name, address=address, node=_host()), encoding="utf-8")
    session.console.info(f"{conf_path()} and {_key_path()} written")
    if not _start(session):
        return False
    session.console.info("other nodes join with the token that `crm cluster add` prints on this node")
    session.console.warning(
        "there is no fencing yet: configure a stonith resource (`crm ra list stonith`) before anything important"
    )
    return True


def _host() -> str:
    import platform

    return os.environ.get("HATOOLS_NODE_NAME") or platform.node()


# The inviting side


def invite(session: "Session", args: Sequence[str]) -> bool:
    """Print a token and wait until a node has joined with it."""
    options = _read(args, "address port")
    read_text()
    address = options.address or _own_address()
    secret = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder, socket.create_server((address, options.port)) as server:
        context, fingerprint = _server_context(Path(folder))
        port = server.getsockname()[1]
        session.console.info("on the new node, within 15 minutes:")
        print(f"    crm cluster join -c {address} --token {port}-{fingerprint}-{secret}", flush=True)
        deadline = time.monotonic() + _INVITATION_S
        for _ in range(_ATTEMPTS):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            server.settimeout(left)
            try:
                connection, peer = server.accept()
            except TimeoutError:
                break
            node = _serve(session, context, connection, secret)
            if node:
                session.console.info(f"{node} ({peer[0]}) joined")
                return _take_over(session)
            session.console.warning(f"{peer[0]}: refused")
    raise CommandError("nobody joined: the token is void, `crm cluster add` makes another one")


def _take_over(session: "Session") -> bool:
    """Let the running cluster know the grown node list."""
    from hatools.shell.context import Context
    from hatools.shell.levels.cluster import Cluster
    from hatools.shell.levels.root import Root
    from hatools.shell.programs import capture

    if capture("corosync_cfgtool", ["-R"]).status == 0:
        return True
    members = len(get_values("nodelist.node.nodeid"))
    if members > 2:
        session.console.info(
            f"the new node list takes effect once {conf_path()} of this node is on every other node "
            "and each has been restarted: crm cluster restart"
        )
        return True
    session.console.info("restarting this node: a running one does not take a new node list")
    return Cluster(session).do_restart(Context(session, Root))


def _server_context(folder: Path) -> tuple[ssl.SSLContext, str]:
    """Make a certificate for this invitation; return the TLS context and the fingerprint."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hatools invitation")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    path = folder / "invitation.pem"
    path.touch(mode=0o600)
    path.write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(path)
    return context, _fingerprint(certificate.public_bytes(serialization.Encoding.DER))


def _fingerprint(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()[:32]


def _serve(session: "Session", context: ssl.SSLContext, connection: socket.socket, secret: str) -> str:
    """Answer one caller; return its name if it showed the secret."""
    connection.settimeout(_ANSWER_S)
    try:
        with context.wrap_socket(connection, server_side=True) as channel:
            request = _receive(channel)
            if not hmac.compare_digest(str(request.get("secret", "")), secret):
                _send(channel, {"error": "wrong or used token"})
                return ""
            name, address = str(request.get("name", "")), str(request.get("address", ""))
            try:
                add_node(address, name)
            except CommandError as error:
                _send(channel, {"error": str(error)})
                return ""
            key = base64.b64encode(_key_path().read_bytes()).decode("ascii")
            _send(channel, {"conf": read_text(), "authkey": key})
            return name
    except (OSError, ValueError) as error:
        session.console.warning(f"the caller failed: {error}")
        return ""


def _send(channel: ssl.SSLSocket, message: dict[str, str]) -> None:
    channel.sendall(json.dumps(message).encode("utf-8") + b"\n")


def _receive(channel: ssl.SSLSocket) -> dict[str, object]:
    data = b""
    while not data.endswith(b"\n"):
        part = channel.recv(65536)
        if not part or len(data) > _LONGEST_LINE:
            raise ValueError("incomplete message")
        data += part
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError("not a message of ours")
    return message


# The joining side


def join(session: "Session", args: Sequence[str]) -> bool:
    """Join the cluster that a token was made for, and start this node."""
    from hatools.messaging.corosync.authkey import store_key

    options = _read(args, "host token address")
    parts = options.token.split("-")
    if not options.host or len(parts) != 3 or not parts[0].isdigit():
        raise CommandError(
            "usage: join -c <host> --token <token>; `crm cluster add` on a node of the cluster prints both"
        )
    question = f"{conf_path()} exists. Replace it and join the other cluster?"
    if conf_path().exists() and not options.yes and not session.console.ask(question):
        raise CommandError(f"{conf_path()} exists: this node belongs to a cluster already")
    answer = _fetch(options, int(parts[0]), parts[1], parts[2])
    conf_path().parent.mkdir(parents=True, exist_ok=True)
    store_key(_key_path(), base64.b64decode(str(answer["authkey"])))
    conf_path().write_text(str(answer["conf"]), encoding="utf-8")
    session.console.info(f"{conf_path()} and {_key_path()} written")
    return _start(session)


def _fetch(options: _Options, port: int, fingerprint: str, secret: str) -> dict[str, object]:
    """Ask the inviting node for the files.

    Raises:
        CommandError: it cannot be reached, is not the one the token is from, or refuses.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the token's fingerprint tells who it is
    address = options.address or _own_address(options.host)
    try:
        with (
            socket.create_connection((options.host, port), timeout=_ANSWER_S) as plain,
            context.wrap_socket(plain) as channel,
        ):
            certificate = channel.getpeercert(binary_form=True) or b""
            if not hmac.compare_digest(_fingerprint(certificate), fingerprint):
                raise CommandError(f"{options.host} is not the node that made this token; nothing was sent")
            _send(channel, {"secret": secret, "name": _host(), "address": address})
            answer = _receive(channel)
    except (OSError, ValueError) as error:
        raise CommandError(f"{options.host} port {port}: {error}") from None
    if "error" in answer:
        raise CommandError(f"{options.host} refuses: {answer['error']}")
    return answer
