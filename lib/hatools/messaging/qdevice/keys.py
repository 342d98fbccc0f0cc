"""Certificates for an arbiter and the clusters it serves: an authority, a server and a client each. I/O.

PEM files, so that OpenSSL, Python and (through certutil and pk12util) the original's NSS database can use them.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.messaging.qdevice.secure import ARBITER_NAME
from hatools.values.errors import UnavailableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

_YEARS = 100
AUTHORITY = "ca.pem"
AUTHORITY_KEY = "ca.key"
SERVER = "server.pem"


def make_authority(folder: Path) -> None:
    """Make an authority and the arbiter's certificate; what is there stays.

    Raises:
        UnavailableError: there is an authority already, or the folder cannot be written.
    """
    if (folder / AUTHORITY).exists():
        raise UnavailableError(f"{folder / AUTHORITY} exists: remove the folder to begin anew")
    key = _new_key()
    certificate = _issue("QNet CA", key, None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / AUTHORITY_KEY, _key_pem(key))
        _write(folder / AUTHORITY, _pem(certificate), 0o644)
        server_key = _new_key()
        server = _issue(ARBITER_NAME, server_key, (certificate, key))
        _write(folder / SERVER, _pem(server) + _key_pem(server_key))
    except OSError as error:
        raise UnavailableError(f"{folder}: {error.strerror}") from None


def make_client(folder: Path, cluster_name: str, path: Path) -> None:
    """Write the certificate (with its key) that a cluster's nodes show to the arbiter.

    Raises:
        UnavailableError: there is no authority, or the file cannot be written.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        authority = x509.load_pem_x509_certificate((folder / AUTHORITY).read_bytes())
        authority_key = load_pem_private_key((folder / AUTHORITY_KEY).read_bytes(), None)
        assert isinstance(authority_key, EllipticCurvePrivateKey)
        key = _new_key()
        _write(path, _pem(_issue(cluster_name, key, (authority, authority_key))) + _key_pem(key))
    except OSError as error:
        raise UnavailableError(f"{error.filename}: {error.strerror}") from None


def _new_key() -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _issue(
    name: str, key: "EllipticCurvePrivateKey", authority: "tuple[Certificate, EllipticCurvePrivateKey] | None"
) -> "Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority[0].subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
    )
    return builder.sign(authority[1] if authority else key, SHA256())


def _pem(certificate: "Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _key_pem(key: "EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, mode: int = 0o600) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
