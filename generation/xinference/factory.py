"""Creates the clients of model servers from their settings."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from django.conf import settings

from generation import bounded_http
from generation.xinference.client import XinferenceClient
from generation.xinference.operator_messages import SettingNames


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConnection:
    """How a model server is reached; without `verify`, whatever certificate it shows.

    `url` may have a user and a password, and so may `proxy`, the URL of an HTTP proxy.
    `ca_file` is trusted alone if given. `client_certificate` is the path of a PEM file with
    certificate and key. `metrics_url` is the metrics port of its worker, if known. `name` is what
    messages call the server; empty for the one of the environment, whose messages name the
    variables.
    """

    url: str = field(repr=False)
    api_key: str = field(default="", repr=False)
    ca_file: str = ""
    client_certificate: str = ""
    verify: bool = True
    proxy: str = field(default="", repr=False)
    metrics_url: str = ""
    name: str = ""

    @property
    def names(self) -> SettingNames:
        return SettingNames.of_server(self.name) if self.name else SettingNames()


def configured_connection() -> ServerConnection:
    """The server of XINFERENCE_URL."""
    return ServerConnection(
        url=settings.XINFERENCE_URL,
        api_key=settings.XINFERENCE_API_KEY,
        ca_file=settings.XINFERENCE_CA,
        client_certificate=settings.XINFERENCE_CLIENT_CERTIFICATE,
        verify=settings.XINFERENCE_VERIFY,
        proxy=settings.XINFERENCE_PROXY,
    )


def client_for(connection: ServerConnection) -> XinferenceClient:
    """A client of this server; raises OSError if a file of certificates cannot be read."""
    return XinferenceClient(
        base_url=connection.url,
        api_key=connection.api_key,
        tls=tls_context(connection),
        proxy=connection.proxy,
        metrics_url=connection.metrics_url,
        names=connection.names,
    )


def tls_context(connection: ServerConnection) -> ssl.SSLContext:
    """Trusts `ca_file` alone if set, else SSL_CERT_FILE and SSL_CERT_DIR, else those of httpx."""
    own, verify = connection.client_certificate, connection.verify
    if connection.ca_file:
        return bounded_http.tls_context(file=connection.ca_file, own=own, verify=verify)
    return bounded_http.tls_context(
        file=settings.SSL_CERT_FILE, folder=settings.SSL_CERT_DIR, own=own, verify=verify
    )
