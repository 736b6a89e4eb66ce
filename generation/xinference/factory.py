"""Creates the client of the configured model server."""

from __future__ import annotations

import ssl

import httpx
from django.conf import settings

from generation.xinference.client import XinferenceClient


def configured_client() -> XinferenceClient:
    """A client for XINFERENCE_URL with its key and certificate authorities."""
    return XinferenceClient(
        base_url=settings.XINFERENCE_URL,
        api_key=settings.XINFERENCE_API_KEY,
        tls=tls_context(),
    )


def tls_context() -> ssl.SSLContext:
    """Trusts XINFERENCE_CA alone if set, else SSL_CERT_FILE and SSL_CERT_DIR, else those of
    httpx."""
    if settings.XINFERENCE_CA:
        return ssl.create_default_context(cafile=settings.XINFERENCE_CA)
    if settings.SSL_CERT_FILE or settings.SSL_CERT_DIR:
        return ssl.create_default_context(
            cafile=settings.SSL_CERT_FILE or None, capath=settings.SSL_CERT_DIR or None
        )
    return httpx.create_ssl_context(trust_env=False)
