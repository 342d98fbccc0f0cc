"""Letting a node into the cluster, without a login on it: a token that works once. I/O: TLS, files.

A member invites (``cluster add``): it listens with a certificate made for the occasion and prints a token, which holds
the certificate's fingerprint and a secret. The new node (``cluster join``) connects, checks the fingerprint and shows
the secret. It gets corosync.conf and authkey and writes them beside their places; only when all members have the node
list with the new node does it move them there and start. Whatever fails before that leaves every node as it was.
"""

import hashlib
import hmac
import secrets
import socket
import ssl
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from hatools.ipc.cluster_tls import load_credentials
from hatools.ipc.codec import Envelope, Kind
from hatools.ipc.messages.channel import AskToJoin, Joined, Membership, ReadyToJoin
from hatools.ipc.messages.session import Done
from hatools.ipc.refusals import refusal_of
from hatools.ipc.stream import EnvelopeStream, surviving_hangups
from hatools.runtime.files import replace_file
from hatools.shell.bootstrap import host_name, key_path, may_replace, own_address, read_options, start_node
from hatools.shell.commands import CommandError
from hatools.shell.corosync import conf_path, read_text, with_node
from hatools.shell.members import Members
from hatools.values.errors import (
    AlreadyExistsError,
    HatoolsError,
    InputError,
    PermissionRefusedError,
    RemoteError,
    UnavailableError,
)

if TYPE_CHECKING:
    from hatools.shell.session import Session

_T = TypeVar("_T")
_INVITATION_S = 15 * 60
_ANSWER_S = 15.0
_ALL_NODES_S = 90.0
"""Seconds in which all members must have the new node list."""

_ATTEMPTS = 3
_LARGEST_MESSAGE = 1 << 20


def invite(session: "Session", args: Sequence[str]) -> bool:
    """Print a token and wait until a node has joined with it."""
    options = read_options(args, "addresses port")
    members = Members()
    local = members.local
    address = options.addresses[0] if options.addresses else local.addresses[0]
    secret = secrets.token_hex(16)
    context, fingerprint = _invitation_context()
    try:
        server = socket.create_server((address, options.port))
    except OSError as error:
        raise CommandError(f"cannot listen on {address} port {options.port}: {error.strerror}") from None
    with server, surviving_hangups():
        token = f"{server.getsockname()[1]}-{fingerprint}-{secret}"
        session.console.info("on the new node, within 15 minutes:")
        print(f"    crm cluster join -c {address} --token {token}", flush=True)
        deadline = time.monotonic() + _INVITATION_S
        for _ in range(_ATTEMPTS):
            server.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                connection, peer = server.accept()
            except TimeoutError:
                break
            name = _serve(session, context, connection, secret, options.words)
            if name:
                session.console.info(f"{name} ({peer[0]}) joined")
                return True
            session.console.warning(f"{peer[0]}: refused, nothing was changed")
    raise CommandError("nobody joined: the token is void, `crm cluster add` makes another one")


def _invitation_context() -> tuple[ssl.SSLContext, str]:
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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    load_credentials(context, pem)
    return context, _fingerprint(certificate.public_bytes(serialization.Encoding.DER))


def _fingerprint(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()[:32]


def _serve(
    session: "Session", context: ssl.SSLContext, connection: socket.socket, secret: str, expected: Sequence[str]
) -> str:
    """Let one caller in if it may; return its name, empty if it is refused."""
    connection.settimeout(_ANSWER_S)
    try:
        with context.wrap_socket(connection, server_side=True) as secured:
            stream = EnvelopeStream(secured, "the new node", limit=_LARGEST_MESSAGE)
            try:
                return _admit(session, stream, secret, expected)
            except HatoolsError as error:
                session.console.warning(str(error))
                stream.send(Envelope(Kind.REFUSAL, 1, refusal_of(error)), _ANSWER_S)
    except (OSError, HatoolsError) as error:
        session.console.warning(f"the caller failed: {error}")
    finally:
        connection.close()
    return ""


def _admit(session: "Session", stream: EnvelopeStream, secret: str, expected: Sequence[str]) -> str:
    asked = _next(stream, AskToJoin, _ANSWER_S)
    if not hmac.compare_digest(asked.secret.encode(), secret.encode()):
        raise PermissionRefusedError("wrong or used token")
    if expected and asked.name not in expected:
        raise PermissionRefusedError(f"the token is for {' '.join(expected)}, not for {asked.name}")
    text = _conf_with(asked)
    members = Members()
    if not members.configuration.protection.needs_key or members.configuration.key or members.configuration.keyfile:
        raise UnavailableError("a node can be let in only where the cluster's key is in the file authkey")
    stream.send(Envelope(Kind.ANSWER, 1, Membership(text, key_path().read_bytes())), _ANSWER_S)
    _next(stream, ReadyToJoin, _ANSWER_S)
    _take_over(session, text, members)
    stream.send(Envelope(Kind.ANSWER, 1, Done()), _ANSWER_S)
    try:
        _next(stream, Joined, _ANSWER_S)
        stream.send(Envelope(Kind.ANSWER, 1, Done()), _ANSWER_S)
    except HatoolsError:
        session.console.warning(
            f"{asked.name} did not confirm: if it does not come up, `crm cluster remove {asked.name}`"
        )
    return asked.name


def _next(stream: EnvelopeStream, kind: type[_T], timeout_s: float) -> _T:
    message = stream.receive(timeout_s).message
    if not isinstance(message, kind):
        raise RemoteError(f"{type(message).__name__} instead of {kind.__name__}")
    return message


def _conf_with(asked: AskToJoin) -> str:
    """Return corosync.conf with the node that asks; a node that is listed like that already changes nothing."""
    import ipaddress
    import re

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}", asked.name):
        raise InputError(f"{asked.name!r} cannot be the name of a node")
    for address in asked.addresses:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise InputError(f"{address!r} is no address") from None
    for node in Members().configuration.nodes:
        if node.name == asked.name and tuple(node.addresses.values()) == asked.addresses:
            return read_text()
    try:
        return with_node(asked.addresses, asked.name)[0]
    except CommandError as error:
        raise AlreadyExistsError(str(error)) from None


def _take_over(session: "Session", text: str, members: Members) -> None:
    """Give all members the grown node list, and have the running ring use it.

    Raises:
        UnavailableError: not all took it; none has it.
    """
    from hatools.shell.nodelist import distribute, reload

    if text == read_text():
        return
    try:
        distribute(session, text, members=members)
    except CommandError as error:
        raise UnavailableError(str(error)) from None
    reload(session)
    if len(members.all) == 1:
        session.console.info(
            "two nodes: when they lose each other both go on as quorate (two_node), so fencing decides who lives: "
            "let one wait, e.g. `crm configure property priority-fencing-delay=15`"
        )


# The joining side


def join(session: "Session", args: Sequence[str]) -> bool:
    """Join the cluster that a token was made for, and start this node."""
    from hatools.shell.levels.cluster import is_running
    from hatools.shell.running import wait_for_controller

    options = read_options(args, "host token addresses")
    parts = options.token.split("-")
    if not options.host or options.words or len(parts) != 3 or not parts[0].isdigit() or int(parts[0]) > 65535:
        raise CommandError(
            "usage: join -c <host> --token <token>; `crm cluster add` on a node of the cluster prints both"
        )
    if is_running():
        raise CommandError("the cluster runs on this node: `crm cluster stop` comes first")
    may_replace(session, options, "join the other cluster")
    addresses = tuple(options.addresses or [own_address(options.host)])
    try:
        _become_member(options.host, int(parts[0]), fingerprint=parts[1], secret=parts[2], addresses=addresses)
    except (HatoolsError, OSError) as error:
        raise CommandError(f"{options.host} port {parts[0]}: {error}; nothing was changed on this node") from None
    session.console.info(f"{conf_path()} and {key_path()} written")
    if not start_node(session):
        return False
    if not wait_for_controller(120.0):
        raise CommandError("this node started, but knows of no DC after two minutes: see `crm cluster health`")
    session.console.info(f"{host_name()} is a member of the cluster")
    return True


def _become_member(host: str, port: int, *, fingerprint: str, secret: str, addresses: tuple[str, ...]) -> None:
    """Get the files from the inviting node and put them into their places once all members know of us."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the token's fingerprint tells who it is
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        plain = socket.create_connection((host, port), timeout=_ANSWER_S)
    except ConnectionRefusedError:
        raise UnavailableError("nobody waits there: the token was used, or is older than 15 minutes") from None
    with plain, surviving_hangups(), context.wrap_socket(plain) as secured:
        certificate = secured.getpeercert(binary_form=True) or b""
        if not hmac.compare_digest(_fingerprint(certificate), fingerprint):
            raise PermissionRefusedError("this is not the node that made the token; nothing was sent to it")
        stream = EnvelopeStream(secured, host, limit=_LARGEST_MESSAGE)
        given = stream.request(AskToJoin(secret, host_name(), addresses), _ANSWER_S)
        if not isinstance(given, Membership):
            raise RemoteError(f"{type(given).__name__} instead of what makes a member")
        waiting = _WaitingFiles(given)
        try:
            stream.request(ReadyToJoin(), _ALL_NODES_S)
            waiting.take_into_use()
        finally:
            waiting.drop()
        stream.request(Joined(), _ANSWER_S)


class _WaitingFiles:
    """Configuration and key beside their places, until they may be used."""

    def __init__(self, given: Membership) -> None:
        from hatools.messaging.corosync.authkey import FILE_MODE
        from hatools.messaging.corosync.conf import read_configuration

        read_configuration(given.configuration)
        conf, key = conf_path(), key_path()
        self._moves = [(path.with_name(f".{path.name}.joining"), path) for path in (key, conf)]
        for folder in {conf.parent, key.parent}:
            folder.mkdir(parents=True, exist_ok=True)
        replace_file(self._moves[0][0], given.key, FILE_MODE)
        self._moves[1][0].write_text(given.configuration, encoding="utf-8")

    def take_into_use(self) -> None:
        """Move the files to where they belong."""
        for waiting, place in self._moves:
            waiting.replace(place)

    def drop(self) -> None:
        """Remove what was not taken into use."""
        for waiting, _ in self._moves:
            waiting.unlink(missing_ok=True)
