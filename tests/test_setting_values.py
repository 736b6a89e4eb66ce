"""Values of settings: the spelling that is kept, and the one that a refusal suggests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from generation import http_addresses
from generation.invalid_setting import InvalidSetting
from liujuan_site import addresses, databases, mail, redis_urls, validators

Reader = Callable[[str], str]
REDIS_URLS = (
    *("redis://h?db=1&client_name=x", "rediss://h?ssl_cert_reqs=none", "rediss://:p@h:1/2"),
    *("redis://h?socket_timeout=2.5", "unix:///run/redis.sock?db=1"),
)
SECRET = f"whsec_{'A' * 32}"
DATABASE_URLS = ("postgres:///liujuan", "sqlite:////tmp/x.db", "postgres://h/x?sslmode=require")


@pytest.mark.parametrize(
    ("read", "typed", "taken"),
    [
        (http_addresses.model_server, "http://gpu:9997/", "http://gpu:9997"),
        (http_addresses.model_server, "HTTP://GPU:9997", "http://gpu:9997"),
        (http_addresses.model_server, "https://h/models/x/", "https://h/models/x"),
        (http_addresses.model_server, "http://[fd00::5]:9997", "http://[fd00::5]:9997"),
        (http_addresses.model_server, "http://u:p%40ss@h", "http://u:p%40ss@h"),
        (addresses.public, "HTTPS://Studio.Example:443/", "https://studio.example"),
        (addresses.public, "http://h:80", "http://h"),
        (addresses.public, "https://h:8443", "https://h:8443"),
        (addresses.public, "https://h/studio/", "https://h/studio"),
        (addresses.public, "http://[FD00::5]:8000", "http://[fd00::5]:8000"),
        (addresses.public, "https://bücher.example", "https://xn--bcher-kva.example"),
        (http_addresses.model_server, "http://ⓛh:9997", "http://lh:9997"),
        (http_addresses.model_server, "http://a\u00adb", "http://ab"),
        (http_addresses.model_server, "http://u:p@[FD00:0::5]:1/x", "http://u:p@[fd00::5]:1/x"),
        (http_addresses.model_server, "http://[fe80::1%25eth0]:1", "http://[fe80::1%eth0]:1"),
        (http_addresses.model_server, "http://xn--bcher-kva.x", "http://xn--bcher-kva.x"),
        (addresses.public, "https://[::ffff:1.2.3.4]", "https://[::ffff:102:304]"),
        (addresses.public, "https://[0:0::1]/a", "https://[::1]/a"),
        (addresses.host, "::0", "::"),
        (addresses.host, "0:0:0:0:0:0:0:0", "::"),
        (addresses.host, "[0::0]", "::"),
        (addresses.host, "::ffff:0.0.0.0", "0.0.0.0"),
        (addresses.host, "::ffff:127.0.0.1", "127.0.0.1"),
        (addresses.host, "fe80:0::1%eth0", "fe80::1%eth0"),
        (addresses.allowed_host, "2001:DB8:0::1", "[2001:db8::1]"),
        (addresses.allowed_host, "::ffff:1.2.3.4", "[::ffff:102:304]"),
        (redis_urls.redis, "redis://[FD00:0::5]:6379", "redis://[fd00::5]:6379"),
        (redis_urls.redis, "REDIS://H/", "redis://h/"),
        *((redis_urls.redis, url, url) for url in REDIS_URLS),
        (addresses.host, "[fd00::5]", "fd00::5"),
        (addresses.host, "::", "::"),
        (addresses.host, "Box.local", "box.local"),
        (addresses.allowed_host, "fd00::5", "[fd00::5]"),
        (addresses.allowed_host, "[::1]", "[::1]"),
        (addresses.allowed_host, ".Example.org", ".example.org"),
        (addresses.allowed_host, "*", "*"),
        (addresses.webhook_target, "10.1.2.3/8", "10.0.0.0/8"),
        (addresses.webhook_target, "127.0.0.1", "127.0.0.1/32"),
        (addresses.webhook_target, "[FD00:0::5]", "fd00::5/128"),
        (addresses.webhook_target, "Hooks.Internal.", "hooks.internal"),
        (addresses.network, "10.1.2.3/8", "10.0.0.0/8"),
        (addresses.alert_target, "HTTP://10.0.0.1:9/a?b=c", "http://10.0.0.1:9/a?b=c"),
        (validators.webhook_secret, SECRET, SECRET),
        (mail.address, "ops@mail.example", "ops@mail.example"),
        (addresses.network, "[FD00:0::5]", "fd00::5/128"),
        (addresses.listen_address, "9101", "127.0.0.1:9101"),
        (addresses.listen_address, "[::1]:9101", "[::1]:9101"),
        (addresses.listen_address, "0.0.0.0:9101", "0.0.0.0:9101"),
        *((databases.database_url, url, url) for url in DATABASE_URLS),
        *((validators.slots, slots, slots) for slots in ("A=2, B-1=1", "6", "A=0")),
        (validators.time_zone, "Asia/Shanghai", "Asia/Shanghai"),
        (validators.internal_path, "/_media/", "/_media"),
        (validators.log_format, "JSON", "json"),
        (http_addresses.http_proxy, "HTTP://u:p%40@Proxy:3128/", "http://u:p%40@proxy:3128"),
        (http_addresses.http_proxy, "http://[::1]:3128", "http://[::1]:3128"),
        (addresses.collector, "HTTP://Otel:4318/", "http://otel:4318"),
        (addresses.collector, "https://h/otlp/", "https://h/otlp"),
        (validators.api_key, "sk-$x", "sk-$x"),
    ],
)
def test_a_value_is_written_in_one_way(read: Reader, typed: str, taken: str) -> None:
    assert read(typed) == taken


MODEL = http_addresses.model_server
PUBLIC = addresses.public
DATABASE = databases.database_url
NO_HOSTS = ("[::1]x:1", "[v1.abc]", "x[::1]", "[1.2.3.4]", "[]:1", "xn--", "a.0x7f", "h" * 300)
NO_FOLDERS = ("~no-such-account/x", "file:///tmp/x", "$HOME/x", "${HOME}", "C:/x", "%h/x")
NO_SLOTS = (
    *("a=1;b=2", "NAME=2 OTHER=1", "a=1,a=2", "a=1=2", "a=1,", ",", "a b=1", "a=٣", "../a=1"),
    *("six", "6,A=2", "=2"),
)
NO_MODEL_SERVERS = (
    *("localhost:9997", "//localhost:9997", "http:/localhost", "ftp://h", "http://"),
    *("http://:9997", "http://h:99999", "http://h:0", "http://h:abc", "http://fd00::5:9997"),
    *("http://[fd00::5", "http://a b", "http://h?x=1", "http://h#x"),
)
NO_PUBLIC_URLS = (
    *("studio.example", "https://u@h", "https://h/?x", "https://h/a//b", "https://h/a/../b"),
    *("wss://h", "https://[fe80::1%eth0]", "https://[fe80::1%25eth0]"),
)
NO_POSTGRESQL = ("mysql://h/x", "postgres://h", "postgres://u:p#w@h/x", "postgres://u:p/w@h/x")
NO_SQLITE = (
    *("sqlite://", "sqlite://:memory:", "sqlite:////no/such/folder/x.db", "sqlite:////"),
    "sqlite:////tmp/",
)
NO_FAULTS = ("/no/such/file.json", "package.json", "README.md")
NO_TARGETS = ("10.0.0.0/33", "http://h", "h:80", "h/x", "1.0x7f", "fe80::1%eth0", "a b")
NO_ALERTS = ("https://u:p@h/", "https://h/#x", "https:///x", "ftp://h")
NO_LISTENERS = ("x", "0", "127.0.0.1:0", "h:65536", ":")
NO_COLLECTORS = (
    "127.0.0.1:4318",
    "http://h/v1/traces",
    "http://u:p@h:4318",
    "grpc://h",
    "http://h?x",
)
NO_PROXIES = ("proxy:3128", "https://proxy:3128", "http://proxy/x", "socks5://proxy", "http://p?x")
NO_DSNS = ("https://sentry.example/1", "https://key@sentry.example/", "https://key@h/one")
NO_REDIS = ("http://localhost", "redis://h/zero", "redis://:a/b@h/0")
NO_MODELS = ("../x", "a/../b", ".", "a?b", "a#b", "a b", "a%2Fb", "a;b", "a,b", "a=b", "a&b")
NO_ZONES = {
    **dict.fromkeys(["CST", "UTC+8", "GMT+8", "UTC+08:00", "+0800", "Asia"], "Asia/Shanghai"),
    **dict.fromkeys(["/etc/localtime", "localtime", "posixrules", "Factory"], "Asia/Shanghai"),
    **dict.fromkeys(["right/UTC", "posix/UTC", "FACTORY", "Beijing", "x" * 500], "Asia/Shanghai"),
    "UTC+9": "Etc/GMT-9",
    "gmt-5": "Etc/GMT+5",
    "UTC-8": "Etc/GMT+8",
    "UTC-14": "Asia/Shanghai",
    "JST": "Asia/Tokyo",
    "Europe/Berlim": "Europe/Berlin",
    ":Asia/Tokyo": "Asia/Tokyo",
}
NO_REDIS_OPTIONS = (
    *("socket_timeout=x", "socket_timeout=nan", "socket_timeout=-1", "socket_timeout="),
    *("health_check_interval=x", "connection_class=x", "foo=bar", "foo", "port=x", "host=x"),
    *("decode_responses=true", "ssl_cert_reqs=foo", "db=-1", "db=x", "encoding=x", "retry=1"),
    *("client_name=a%20b", "parser_class=x", "protocol=9", "max_connections=1"),
)
NO_DATABASE_OPTIONS = (
    *("sslmode=foo", "connect_timeout=x", "connect_timeout=-5", "keepalives_idle=1s"),
    *("tcp_user_timeout=x", "channel_binding=x", "target_session_attrs=x", "gssencmode=x"),
    *("port=x", "port=99999", "pool=x", "isolation_level=x", "service=no-such-service"),
    *("sslmod=require", "conn_max_age=60"),
)


@pytest.mark.parametrize(
    ("read", "typed", "suggestion"),
    [
        *((MODEL, url, "http://localhost:9997") for url in NO_MODEL_SERVERS),
        (MODEL, "http://h:9997/v1", "http://h:9997"),
        (MODEL, "http://h:9997/v1/images/generations", "http://h:9997"),
        (MODEL, "http://u:p@h/proxy/v1/", "http://***@h/proxy"),
        (MODEL, "http://h/ui/", "http://h"),
        *((PUBLIC, url, "https://studio.example") for url in NO_PUBLIC_URLS),
        *((MODEL, f"http://{host}", "http://localhost:9997") for host in NO_HOSTS),
        *((PUBLIC, f"https://{host}/x", "https://studio.example") for host in NO_HOSTS),
        *((redis_urls.redis, f"redis://:p@{host}/0", redis_urls.EXAMPLE) for host in NO_HOSTS),
        *((DATABASE, f"postgres://u:p@{host}/d", "postgres://") for host in NO_HOSTS[:5]),
        (addresses.allowed_host, "fe80::1%eth0", "name.example"),
        *((addresses.webhook_target, typed, "10.0.0.0/8") for typed in NO_TARGETS),
        (addresses.network, "metrics.internal", "10.0.0.0/8"),
        *((addresses.alert_target, typed, "https://hooks.example/liujuan") for typed in NO_ALERTS),
        (validators.webhook_secret, "whsec_short", ""),
        (mail.address, "ops", "ops@mail.example"),
        *((addresses.listen_address, typed, "127.0.0.1:9101") for typed in NO_LISTENERS),
        (addresses.host, "::1%eth0", "127.0.0.1"),
        (redis_urls.redis, "unix:///s?db=x", ""),
        (redis_urls.redis, "unix://run/redis.sock", "unix:///run/redis"),
        (redis_urls.redis, "redis://h/99999999999999999999", redis_urls.EXAMPLE),
        (redis_urls.redis, "redis://h/1?db=2", ""),
        (redis_urls.redis, "redis://h?db=1&db=2", ""),
        (redis_urls.redis, "rediss://h?ssl_ca_certs=/no/such/file", ""),
        *((redis_urls.redis, f"redis://:pw@h?{option}", "") for option in NO_REDIS_OPTIONS),
        *((redis_urls.redis, f"rediss://:pw@h?{option}", "") for option in NO_REDIS_OPTIONS),
        *((DATABASE, f"postgres://h/x?{option}", "") for option in NO_DATABASE_OPTIONS),
        *((validators.data_folder, typed, validators.DATA_EXAMPLE) for typed in NO_FOLDERS),
        (redis_urls.redis, "localhost", "redis://localhost"),
        *((redis_urls.redis, url, "redis://localhost:6379/0") for url in NO_REDIS),
        (addresses.host, "0.0.0.0:8000", "127.0.0.1"),
        (addresses.host, "http://h", "127.0.0.1"),
        (addresses.host, "*", "0.0.0.0"),
        (addresses.host, "1.2.3", "127.0.0.1"),
        (addresses.allowed_host, "h:8000", "name.example"),
        (addresses.allowed_host, "https://h", "name.example"),
        (addresses.allowed_host, "*.studio.example", ".studio.example"),
        *((DATABASE, url, databases.POSTGRESQL_EXAMPLE) for url in NO_POSTGRESQL),
        *((DATABASE, url, databases.SQLITE_EXAMPLE) for url in NO_SQLITE),
        *((validators.slots, typed, "NAME=2,OTHER=1") for typed in NO_SLOTS),
        *((validators.model_name, typed, "") for typed in NO_MODELS),
        *((validators.time_zone, typed, zone) for typed, zone in NO_ZONES.items()),
        *((addresses.collector, typed, "http://127.0.0.1:4318") for typed in NO_COLLECTORS),
        *((http_addresses.http_proxy, typed, "http://proxy:3128") for typed in NO_PROXIES),
        *((addresses.sentry_dsn, typed, "https://key@sentry.example/1") for typed in NO_DSNS),
        (validators.log_format, "xml", "json"),
        (validators.internal_path, "/../x", "/_media"),
        (validators.internal_path, "/a/./b", "/_media"),
        (validators.slots, "0", "6"),
        (validators.slots, "A=1000000000000000", "6"),
        (validators.time_zone, "Asia", "A"),
        (validators.time_zone, "asia/shanghai", "Asia/Shanghai"),
        (validators.time_zone, "../../etc/passwd", "Asia/Shanghai"),
        (validators.internal_path, "_media", "/_media"),
        (validators.internal_path, "http://h/_media", "/_media"),
        (validators.internal_path, "/", "/_media"),
        (validators.certificates, "/no/such/file.pem", ""),
        (validators.certificates, "README.md", ""),
        (validators.client_certificate, "/no/such/file.pem", ""),
        (validators.client_certificate, "README.md", ""),
        (validators.folder, "README.md", ""),
        *((validators.demo_faults, path, "") for path in NO_FAULTS),
        *((validators.api_key, key, "") for key in ("a b", "schlüssel", "Bearer x")),
    ],
)
def test_a_refusal_suggests_a_valid_value(read: Reader, typed: str, suggestion: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        read(typed)

    assert refused.value.suggestion.startswith(suggestion) if suggestion else refused.value.problem
