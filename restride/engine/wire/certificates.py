"""Certificates for a cluster: an authority of its own, and one certificate for all of its processes."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from restride.engine.wire.security import write_private

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

DAYS_VALID = 3650


def create_certificates(directory: str | Path, hosts: Sequence[str] = ()) -> None:
    """Write ``ca.pem``, ``cert.pem`` and ``key.pem``, to be copied to all machines of the cluster.

    The authority's own key is not kept. Needs the library ``cryptography``.

    Parameters
    ----------
    directory : path
        Made where it is missing.
    hosts : sequence of str
        Names and addresses to put into the certificate, beside localhost and this machine's name.

    Raises
    ------
    FileExistsError
        The directory has certificates already.
    ImportError
        ``cryptography`` is not installed.
    """
    try:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise ImportError(f"making certificates needs cryptography: pip install 'restride[tls]' ({error})") from error

    directory = Path(directory).expanduser()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    present = [name for name in ("ca.pem", "cert.pem", "key.pem") if (directory / name).exists()]
    if present:
        raise FileExistsError(f"{directory} has {', '.join(present)} already; remove them, or name another directory")
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    names = list(dict.fromkeys(["localhost", "127.0.0.1", "::1", socket.gethostname(), *hosts]))
    ca = _authority(ca_key).sign(ca_key, hashes.SHA256())
    certificate = _certificate(key, ca_key, names).sign(ca_key, hashes.SHA256())
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    write_private(directory / "key.pem", key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    write_private(directory / "cert.pem", certificate.public_bytes(pem))
    write_private(directory / "ca.pem", ca.public_bytes(pem))


def _authority(ca_key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    from cryptography import x509

    others = "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
    usage = dict.fromkeys(f"{others} encipher_only decipher_only".split(), False)
    return (
        _builder("restride authority", ca_key, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
    )


def _certificate(
    key: ec.EllipticCurvePrivateKey, ca_key: ec.EllipticCurvePrivateKey, names: Sequence[str]
) -> x509.CertificateBuilder:
    from cryptography import x509

    def general(name: str) -> x509.GeneralName:
        try:
            return x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            return x509.DNSName(name)

    return (
        _builder("restride", key, ca_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([general(name) for name in names]), critical=False)
    )


def _builder(name: str, key: ec.EllipticCurvePrivateKey, ca_key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    from cryptography import x509

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    begin = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)  # clocks differ
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("restride authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=DAYS_VALID))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    )
