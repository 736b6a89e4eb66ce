"""Where messages may go: the address that is written, and the one that is connected to."""

from __future__ import annotations

import ipaddress

import pytest

from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.webhooks.targets import AllowedTargets, NoPublicAddress, readable_url
from tests.webhooks.hooks import answer_lookups

PUBLIC = AllowedTargets()
PRIVATE_HOSTS = [
    # loopback, in the spellings that resolvers read
    *("127.0.0.1", "127.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1"),
    *("017700000001", "0177.0.0.1", "0x7f.0x0.0x0.0x1", "127.0.0.1."),
    *("0.0.0.0", "0", "0x0"),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]"),
    # private, shared, link-local; metadata of clouds
    *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.100.100.200"),
    *("169.254.169.254", "0xa9fea9fe", "2852039166", "169.254.170.2", "192.0.0.192"),
    *("[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]"),
    # IPv4 inside IPv6: mapped, compatible, NAT64, 6to4, Teredo
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]"),
    *("[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::a00:1]"),
    *("[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]"),
    # documentation, benchmarks, multicast, reserved
    *("192.0.2.1", "198.51.100.7", "203.0.113.9", "198.18.0.1", "[2001:db8::1]", "[100::1]"),
    *("224.0.0.1", "239.255.255.255", "[ff02::1]", "[ff0e::1]", "240.0.0.1", "255.255.255.255"),
]
PUBLIC_HOSTS = [
    *("93.184.215.14", "1.1.1.1", "0x01010101", "[2606:4700::1111]"),
    *("[::ffff:1.1.1.1]", "[64:ff9b::101:101]", "[2002:101:101::1]"),
]


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
async def test_an_address_that_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        readable_url(f"https://{host}/hook", PUBLIC)
    assert (refusal.value.code, refusal.value.field) == (ErrorCode.WEBHOOK_URL_INVALID, "url")

    # also where only the connection sees it
    with pytest.raises(NoPublicAddress):
        await PUBLIC.resolve(host.strip("[]"), 443)


@pytest.mark.parametrize("host", PUBLIC_HOSTS)
async def test_a_public_address_is_accepted(host: str) -> None:
    assert readable_url(f"https://{host}/hook", PUBLIC)
    assert await PUBLIC.resolve(host.strip("[]"), 443)


@pytest.mark.parametrize(
    "url",
    [
        *("", "hook", "//example.com/hook", "/hook", "https://", "https:///hook", "https://:443/"),
        *("ftp://example.com/", "file:///etc/passwd", "gopher://example.com:25/", "javascript:1"),
        *("http://example.com/hook", "HTTP://example.com/hook"),
        *("https://user@example.com/", "https://user:password@example.com/", "https://@127.0.0.1/"),
        *("https://example.com@127.0.0.1/", "https://127.0.0.1#@1.1.1.1/", "https://[::1/"),
        *("https://example.com:0/", "https://example.com:99999/", "https://example.com:x/"),
        *("https://exa mple.com/", "https://example.com\r\nHost: x/", "https://xn--a/\0"),
        *("https://example.com/" + "a" * 2000, "https://example.com/" + "柳" * 400),
    ],
)
def test_text_that_is_no_address_of_a_receiver_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        readable_url(url, PUBLIC)

    assert refusal.value.code == ErrorCode.WEBHOOK_URL_INVALID


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://example.com/hook?a=1#part", "https://example.com/hook?a=1"),
        ("https://1.1.1.1#@127.0.0.1/", "https://1.1.1.1"),
        (" https://Example.com:8443/ ", "https://example.com:8443/"),
        ("https://柳.example/路", "https://xn--xvv.example/%E8%B7%AF"),
    ],
)
def test_an_address_is_stored_as_it_is_sent_to(url: str, stored: str) -> None:
    assert readable_url(url, PUBLIC) == stored


def test_the_setting_allows_networks_and_names_also_without_tls() -> None:
    targets = AllowedTargets.of(["10.0.0.0/8", "fd00::/8", "hooks.internal"])

    for url in ("http://10.1.2.3/", "http://[fd00::1]/", "http://hooks.internal:8080/x"):
        assert readable_url(url, targets) == url
    for url in ("http://11.1.2.3/", "https://127.0.0.1/", "http://other.internal/"):
        with pytest.raises(InvalidInput):
            readable_url(url, targets)


async def test_a_name_of_this_machine_is_refused() -> None:
    with pytest.raises(NoPublicAddress):
        await PUBLIC.resolve("localhost", 443)

    assert await AllowedTargets.of(["localhost"]).resolve("localhost", 443)


async def test_a_name_that_does_not_exist_looks_the_same() -> None:
    with pytest.raises(NoPublicAddress):
        await PUBLIC.resolve("no-such-name.invalid", 443)


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["1.1.1.1", "::ffff:10.0.0.1"], ["fe80::1%2"], []],
)
async def test_all_addresses_of_a_name_must_be_public(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    answer_lookups(monkeypatch, addresses)

    with pytest.raises(NoPublicAddress):
        await PUBLIC.resolve("hooks.example", 443)


def test_each_embedded_address_counts_as_the_one_inside() -> None:
    targets = AllowedTargets.of(["10.0.0.0/8"])

    for text in ("10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"):
        assert targets.accept(ipaddress.ip_address(text))
        assert not PUBLIC.accept(ipaddress.ip_address(text))
