"""Creates the client of the configured model server."""

from __future__ import annotations

import ssl

from django.conf import settings

from generation import bounded_http
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
        return bounded_http.tls_context(file=settings.XINFERENCE_CA)
    return bounded_http.tls_context(file=settings.SSL_CERT_FILE, folder=settings.SSL_CERT_DIR)
