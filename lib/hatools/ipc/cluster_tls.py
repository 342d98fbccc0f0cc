"""TLS between the nodes of a cluster: who holds the cluster's key is a member. I/O: hands a key to OpenSSL.

From the key that all members share (``authkey``) everybody derives the same Ed25519 key and, as that signature has no
randomness, the same certificate, byte for byte. Both sides of a connection show it and accept no other: no certificates
to hand out, to renew or to revoke, and a changed authkey shuts out who has the old one. TLS 1.3 makes a session's keys
anew each time, so that a key that leaks later opens no recorded session.
"""

import os
import ssl
from datetime import UTC, datetime

_PURPOSE = b"hatools channel between nodes, 1"
_SINCE, _UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def client_context(key: bytes) -> ssl.SSLContext:
    """Return how to connect to a member."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the certificate is the cluster's, not a host's
    return _prepared(context, key)


def server_context(key: bytes) -> ssl.SSLContext:
    """Return how to receive a member."""
    return _prepared(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), key)


def _prepared(context: ssl.SSLContext, key: bytes) -> ssl.SSLContext:
    private, certificate = _credentials(key)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=certificate.decode("ascii"))
    load_credentials(context, private + certificate)
    return context


def load_credentials(context: ssl.SSLContext, pem: bytes) -> None:
    """Give a context its key and certificate, without a file that others might read."""
    descriptor = os.memfd_create("credentials", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _credentials(key: bytes) -> tuple[bytes, bytes]:
    """Return private key and certificate of the cluster that has this key, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    seed = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(key)
    private = Ed25519PrivateKey.from_private_bytes(seed)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hatools cluster")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(_SINCE)
        .not_valid_after(_UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, None)
    )
    return (
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        certificate.public_bytes(serialization.Encoding.PEM),
    )
