"""TLS for the quorum device: credentials, and a stream that turns secure in the middle. I/O: reads files.

A stream begins in plain text and turns to TLS after STARTTLS, when the other side's first bytes may have arrived
already; so TLS is run over memory, and whoever owns the socket carries the bytes.
"""

import ssl
from pathlib import Path

from hatools.messaging.corosync.votequorum import DeviceOptions
from hatools.values.errors import RemoteError, UnavailableError

ARBITER_NAME = "Qnetd Server"
"""Common name in an arbiter's certificate, as corosync-qnetd-certutil makes it."""


class SecureStream:
    """One side of a TLS connection. All bytes that are to be sent come from :meth:`pending`."""

    def __init__(self, context: ssl.SSLContext, *, is_server: bool) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=is_server)
        self.is_established = False

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the network (none to begin) and return what they say.

        Raises:
            RemoteError: the other side is not who it should be, or broke the protocol.
        """
        parts: list[bytes] = []
        self._incoming.write(data)
        try:
            if not self.is_established:
                self._tls.do_handshake()
                self.is_established = True
            while part := self._tls.read(65536):
                parts.append(part)
        except ssl.SSLWantReadError:
            pass  # that was all so far
        except ssl.SSLError as error:
            raise RemoteError(f"TLS failed: {error.reason or error}") from None
        return b"".join(parts)

    def send(self, data: bytes) -> None:
        """Say something."""
        self._tls.write(data)

    def pending(self) -> bytes:
        """Return what is to be sent now."""
        return self._outgoing.read()

    def peer_name(self) -> str:
        """Return the common name in the other side's certificate, empty if it showed none."""
        from cryptography import x509

        shown = self._tls.getpeercert(binary_form=True)
        if shown is None:
            return ""
        names = x509.load_der_x509_certificate(shown).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return str(names[0].value) if names else ""


def device_context(options: DeviceOptions, root: Path) -> ssl.SSLContext:
    """Return how a node connects to its arbiter.

    Raises:
        UnavailableError: a file cannot be used.
    """
    authority = _below(root, options.ca_file or "/etc/corosync/qdevice/net/ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the certificate names the arbiter's role, not its host
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(authority)
        if options.certificate_file:
            certificate = _below(root, options.certificate_file)
            context.load_cert_chain(certificate, _below(root, options.key_file) if options.key_file else None)
    except OSError as error:
        raise UnavailableError(f"quorum.device.net: {getattr(error, 'filename', None) or authority}: {error}") from None
    return context


def arbiter_context(folder: Path, *, wants_certificate: bool) -> ssl.SSLContext:
    """Return how an arbiter receives nodes; ``folder`` holds what :func:`hatools.messaging.qdevice.keys` makes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(folder / "server.pem")
        context.load_verify_locations(folder / "ca.pem")
    except OSError as error:
        hint = "make one with corosync-qnetd-certutil -i"
        raise UnavailableError(f"{folder}: no usable certificate ({error}); {hint}") from None
    context.verify_mode = ssl.CERT_REQUIRED if wants_certificate else ssl.CERT_OPTIONAL
    return context


def _below(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
