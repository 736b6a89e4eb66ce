"""Debian's nginx as a private instance with the site file of deploy/ and a certificate."""

from __future__ import annotations

import datetime
import getpass
import ipaddress
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.studio import ROOT, free_port, wait_until

SITE = ROOT / "deploy/nginx.conf"
# an ordinary user has no /usr/sbin in the PATH
PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
needs_nginx = pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed")

AROUND = """\
$user
daemon off;
pid nginx.pid;
error_log error.log;
events {}
http {
    include /etc/nginx/mime.types;
    access_log off;
    gzip on;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include site.conf;
}
"""
"""What Debian's own nginx.conf does around a site, below a folder of ours."""


def rendered_site(*, listen: int, webs: Sequence[int], data_dir: Path, base: str = "") -> str:
    """The site file with its variables filled in, as `envsubst` does."""
    servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in webs)
    return Template(SITE.read_text(encoding="utf-8")).safe_substitute(
        LISTEN=f"127.0.0.1:{listen}",
        SERVER_NAME="127.0.0.1",
        DATA_DIR=data_dir,
        BASE_PATH=base,
        WEBS=servers,
    )


def with_tls(site: str, *, port: int, folder: Path) -> str:
    """The same with its TLS lines in effect, on `port`, and a certificate of our own."""
    write_certificate(folder)
    site = re.sub(r"^( +)#(listen|ssl_)", r"\1\2", site, flags=re.MULTILINE)
    return site.replace("listen 443 ", f"listen 127.0.0.1:{port} ").replace(
        "/etc/nginx/tls/", f"{folder}/"
    )


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class PrivateNginx:
    """nginx below `folder` with this site file, which listens on `port` of 127.0.0.1."""

    def __init__(self, folder: Path, *, site: str, port: int) -> None:
        self.folder = folder
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "site.conf").write_text(site, encoding="utf-8")
        # as root nginx would change to a user who cannot pass through our private folders
        user = f"user {getpass.getuser()};" if getpass.getuser() == "root" else ""
        (folder / "main.conf").write_text(Template(AROUND).substitute(user=user), encoding="utf-8")

    @property
    def command(self) -> list[str]:
        # without -e it would first write to a log of the system
        log = str(self.folder / "error.log")
        return [str(PROGRAM), "-p", str(self.folder), "-e", log, "-c", "main.conf"]

    def check(self) -> subprocess.CompletedProcess[str]:
        """What `nginx -t` says of the site."""
        return subprocess.run([*self.command, "-t"], capture_output=True, text=True, check=False)

    def start(self) -> Self:
        self.process = subprocess.Popen(self.command)
        wait_until(self.listens, what="nginx listens")
        return self

    def listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "error.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


class Nginx(PrivateNginx):
    """In front of the webs on these ports; with TLS on `tls_port`."""

    def __init__(
        self,
        folder: Path,
        *,
        webs: Sequence[int],
        data_dir: Path,
        tls_port: int | None = None,
        base: str = "",
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        site = rendered_site(listen=port, webs=webs, data_dir=data_dir, base=base)
        if tls_port is not None:
            site = with_tls(site, port=tls_port, folder=folder)
        super().__init__(folder, site=site, port=port)

    def trust(self) -> ssl.SSLContext:
        """What a client needs that believes our certificate, and no other."""
        return ssl.create_default_context(cafile=self.folder / "fullchain.pem")
