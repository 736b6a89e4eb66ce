"""Messages for the operator: why the model server cannot be used and what to do.

Messages are fixed, so that logs can group them by cause; the words of the library or the server
follow in brackets.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import httpx

from generation.bounded_http import HandshakeTimeout

PROXY_STATUSES = (502, 504)
"""Statuses that Xinference itself never sends: a proxy in between failed or timed out."""

REDIRECTS = (301, 302, 303, 307, 308)

WEB_PAGE = ("<!doctype", "<html", "<head", "<?xml")
NO_ROUTE = ("not found", '{"detail":"not found"}')
"""The message of a server for an unknown path; for an unknown model it says more."""

NO_CERTIFICATE = "No required SSL certificate was sent"
BAD_CERTIFICATE = "The SSL certificate error"
"""Of nginx, whose handshake succeeds without a client certificate."""

MAX_QUOTE = 300

UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}

OUR_CERTIFICATE = "{at} does not accept our client certificate: correct {names.client_certificate}"
NO_CLIENT_CERTIFICATE = "{at} asks for a client certificate: set {names.client_certificate}"

TLS = (
    ("MISMATCH", "the certificate of {at} is for another name: write that name as {names.url}"),
    ("HAS EXPIRED", "the certificate of {at} has expired: renew it"),
    ("NOT YET VALID", "the certificate of {at} is not valid yet: compare the clocks"),
    ("VERIFY_FAILED", "the certificate of {at} is not trusted here: set {names.ca_file} to its CA"),
    ("WRONG_VERSION_NUMBER", "{at} does not speak TLS: write {names.url} with http://"),
    ("HTTP_REQUEST", "{at} does not speak TLS: write {names.url} with http://"),
    ("CERTIFICATE_REQUIRED", NO_CLIENT_CERTIFICATE),
    ("ALERT_UNKNOWN_CA", OUR_CERTIFICATE),
    ("ALERT_BAD_CERTIFICATE", OUR_CERTIFICATE),
    ("EOF", "{at} ended the connection within the TLS handshake: does it speak https?"),
)
"""Parts of OpenSSL messages, most specific first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingNames:
    """What messages call the settings of a server; by default the variables of the environment."""

    url: str = "XINFERENCE_URL"
    key: str = "XINFERENCE_API_KEY"
    ca_file: str = "XINFERENCE_CA"
    client_certificate: str = "XINFERENCE_CLIENT_CERTIFICATE"
    proxy: str = "XINFERENCE_PROXY"

    @classmethod
    def of_server(cls, name: str) -> Self:
        """The settings of the server with this name, where several are known."""
        # the log takes brackets for the words of a server
        name = name.translate({ord("("): "[", ord(")"): "]"})
        return cls(
            url=f"the address of the server {name}",
            key=f"the key of the server {name}",
            ca_file=f"the CA file of the server {name}",
            client_certificate=f"the client certificate of the server {name}",
            proxy=f"the proxy of the server {name}",
        )


VARIABLES = SettingNames()


def reason_of_failure(
    error: Exception,
    base_url: str,
    *,
    answered: bool = False,
    names: SettingNames = VARIABLES,
    proxy: str = "",
) -> str:
    """The message for a request without a response; `answered`: an earlier one had a response."""
    quoted = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    reason = reason_of_error(error, base_url, answered=answered, names=names, proxy=proxy)
    return sentence(reason, quoted)


def reason_of_error(
    error: Exception, base_url: str, *, answered: bool, names: SettingNames, proxy: str
) -> str:
    at = address_of(base_url)
    if any(isinstance(each, HandshakeTimeout) for each in causes_of(error)):
        return f"{at} accepts connections and does not answer the TLS handshake: is it http://?"
    if isinstance(error, httpx.ProxyError):
        return f"the proxy {address_of(proxy)} does not connect to {at}: correct {names.proxy}"
    for each in causes_of(error):
        if isinstance(each, ssl.SSLError):
            return tls_reason(each, at, names)
        found = (
            network_reason(each, proxy, names.proxy, "the proxy")
            if proxy
            else network_reason(each, base_url, names.url, "the model server")
        )
        if found:
            return found
    return protocol_reason(error, at, answered=answered, names=names)


def address_of(url: str) -> str:
    """Host and port of a URL, without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2] or "the model server"


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, which the library's own exceptions hide."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]


def tls_reason(error: ssl.SSLError, at: str, names: SettingNames) -> str:
    text = f"{error.reason} {error}".upper()
    for mark, message in TLS:
        if mark in text:
            return message.format(at=at, names=names)
    return f"the TLS handshake with {at} failed"


def network_reason(error: BaseException, url: str, setting: str, subject: str) -> str:
    """Why nothing could be connected to `url`, the value of `setting`; empty if it could."""
    at = address_of(url)
    if isinstance(error, socket.gaierror):
        return f"the host name {urlsplit(url).hostname} is not known: correct {setting}, or the DNS"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens at {at}: start {subject}, or correct {setting}"
    if isinstance(error, OSError) and error.errno in UNREACHABLE:
        return f"there is no route to {at}: correct {setting}, or the network"
    if isinstance(error, httpx.ConnectTimeout):
        tls = ", or https:// instead of http://" if url.startswith("https:") else ""
        return f"{at} does not accept connections: a firewall, or a mistake in {setting}{tls}"
    return ""


def protocol_reason(error: Exception, at: str, *, answered: bool, names: SettingNames) -> str:
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return f"{names.url} is no address: write it like http://host:9997"
    if isinstance(error, httpx.LocalProtocolError):
        return f"{names.key} cannot be sent: it has a character that no key has"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return f"{at} accepts connections and does not answer: it hangs, or is shutting down"
    if isinstance(error, httpx.RemoteProtocolError) and not answered:
        return f"{at} ended the connection without an answer in HTTP: does it speak https?"
    return f"the connection to {at} broke"


def reason_of_response(
    status: int,
    text: str,
    *,
    location: str = "",
    base_url: str = "",
    names: SettingNames = VARIABLES,
) -> str:
    """The message for a status other than 200, with the status and the server's text."""
    message = f"{status} {text}".strip()
    at = address_of(base_url)
    page = text.lstrip().lower().startswith(WEB_PAGE)
    if status in REDIRECTS and location:
        return sentence(redirected(location, names), message)
    if status == 400 and NO_CERTIFICATE in text:
        return sentence(NO_CLIENT_CERTIFICATE.format(at=at, names=names), message)
    if status == 400 and BAD_CERTIFICATE in text:
        return sentence(OUR_CERTIFICATE.format(at=at, names=names), message)
    if status == 401 and page:
        return sentence(
            f"{at} asks for another user or password: correct {names.url}, like "
            "https://user:password@host",
            message,
        )
    if status == 407:
        return sentence(f"the proxy asks for a user and a password: correct {names.proxy}", message)
    if status in PROXY_STATUSES:
        return sentence(f"a proxy at {at} does not reach the model server", message)
    if status == 404 and (page or text.strip().lower().replace(" ", "") in compact(NO_ROUTE)):
        return sentence(
            f"there is no Xinference at this path of {at}: write {names.url} without a path, "
            "like http://host:9997",
            message,
        )
    if page:
        return sentence(f"{at} answers with a web page: is it Xinference, or a proxy?", message)
    return message


def reason_of_invalid_json(text: str) -> str:
    """The message for a response that should have been JSON."""
    if text.lstrip().lower().startswith(WEB_PAGE):
        return sentence("a web page answers: is this address Xinference's, or a proxy's?", text)
    return sentence("the answer is not JSON", text)


def reason_of_missing_picture(text: str) -> str:
    """The message for a 200 that should have been an image."""
    if text.lstrip().lower().startswith(WEB_PAGE):
        return reason_of_invalid_json(text)
    return sentence("the answer holds no picture", text)


def compact(texts: tuple[str, ...]) -> set[str]:
    return {text.replace(" ", "") for text in texts}


def redirected(location: str, names: SettingNames) -> str:
    """The message for a redirect, which is not followed, because it would receive the key."""
    to = urlsplit(location)
    if not to.netloc or not to.scheme:
        return f"the model server redirects within itself: correct the path of {names.url}"
    host = to.netloc.rpartition("@")[2]
    return f"the model server redirects to {to.scheme}://{host}: write that as {names.url}"


def sentence(reason: str, quoted: str) -> str:
    quoted = " ".join(quoted.split())
    shown = quoted if len(quoted) <= MAX_QUOTE else f"{quoted[:MAX_QUOTE]}…"
    return f"{reason} ({shown})"
