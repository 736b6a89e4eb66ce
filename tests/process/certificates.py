"""A certificate authority of the tests, and certificates that it signs."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


class Authority:
    """Its certificate is `file`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder
        self.name = name_of(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.BasicConstraints(ca=True, path_length=None)
        certificate = self.builder(self.name, self.key).add_extension(usage, critical=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(pem(certificate.sign(self.key, hashes.SHA256())))

    def builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        end: datetime.timedelta = DAY,
    ) -> x509.CertificateBuilder:
        today = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder(self.name, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - 3 * DAY)
            .not_valid_after(today + end)
        )

    def issue(
        self, name: str, *, addresses: tuple[str, ...] = (), end: datetime.timedelta = DAY
    ) -> Path:
        """A PEM file with a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self.builder(name_of(name), key, end)
        if addresses:
            names = [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        file = self.folder / f"{name}.pem"
        file.write_bytes(pem(builder.sign(self.key, hashes.SHA256())) + private(key))
        return file


def name_of(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
