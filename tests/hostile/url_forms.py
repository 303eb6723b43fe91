"""URLs that try to reach what they must not: the list, for every place that takes a URL.

Each is a form known from attacks on other servers, or from a list of parsers' differences. All
lead, where they lead anywhere, to this machine, to a private network or to a cloud's metadata;
none is a URL that a tool, a webhook or a model may have. ``PORT`` stands for the port at which
the canaries of ``hostile.ssrf`` listen.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

PORT = "{port}"

INSIDE = [
    *("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.255.255.254", "0.0.0.0", "10.0.0.1"),  # noqa: S104
    *("172.16.0.1", "192.168.0.1", "169.254.169.254", "169.254.170.2", "100.100.100.200"),
    *("192.0.0.192", "168.63.129.16", "198.18.0.1", "224.0.0.1", "255.255.255.255"),
]
"""Addresses that no client may reach: loopback, private, metadata, benchmarks, multicast."""

_CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")
_WIDE = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
_BOLD = {ord("0") + digit: 0x1D7CE + digit for digit in range(10)}
_ARABIC = {ord("0") + digit: 0x0660 + digit for digit in range(10)}


def ipv4_spellings(address: str) -> Iterator[str]:
    """An IPv4 address in the ways that some resolver or parser understands."""
    number = int(IPv4Address(address))
    a, b, c, d = IPv4Address(address).packed
    yield address
    yield f"{address}."
    yield f"{number}"
    yield f"{number:#x}"
    yield f"0{number:o}"
    yield f"{number + (1 << 32)}"
    yield f"{a:#x}.{b:#x}.{c:#x}.{d:#x}"
    yield f"0{a:o}.0{b:o}.0{c:o}.0{d:o}"
    yield f"0{a:#x}.{b}.{c}.{d}"
    yield f"{a:03}.{b:03}.{c:03}.{d:03}"
    yield f"{a}.{b << 16 | c << 8 | d}"
    yield f"{a:#X}.{b}.{c << 8 | d:#x}"
    yield address.translate(_CIRCLED)
    yield address.translate(_WIDE)
    yield address.translate(_BOLD)
    yield address.translate(_ARABIC)
    yield address.replace(".", "\u3002")
    yield address.replace(".", "\uff0e")
    yield address.replace(".", "%2e")
    yield "".join(f"%{ord(character):02x}" for character in address)


def ipv6_spellings(address: str) -> Iterator[str]:
    """An IPv4 address inside an IPv6 one."""
    number = int(IPv4Address(address))
    high, low, other = number >> 16, number & 0xFFFF, number ^ 0xFFFF_FFFF
    yield f"[::ffff:{address}]"
    yield f"[::FFFF:{high:x}:{low:x}]"
    yield f"[0:0:0:0:0:ffff:{high:x}:{low:x}]"
    yield f"[::ffff:0:{address}]"
    yield f"[::{address}]"
    yield f"[64:ff9b::{address}]"
    yield f"[64:ff9b:1::{address}]"
    yield f"[2002:{high:x}:{low:x}::1]"
    yield f"[2001:0:5db8:d70e::{other >> 16:x}:{other & 0xFFFF:x}]"
    yield f"[fe80::5efe:{address}]"
    yield f"[2606:4700::200:5efe:{address}]"
    yield f"[::ffff:{address}%25lo]"


_HOSTS = [
    *(
        "localhost",
        "LOCALHOST",
        "localhost.",
        "localhost.localdomain",
        "a.localhost",
        "l\u00f6calhost",
    ),
    *("loc\u00adalhost", "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3", "ip6-localhost"),
    *(
        "ip6-loopback",
        "loopback",
        "broadcasthost",
        "kubernetes.default.svc",
        "host.docker.internal",
    ),
    *(
        "gateway.docker.internal",
        "metadata",
        "metadata.google.internal",
        "metadata.google.internal.",
    ),
    *("METADATA.GOOGLE.INTERNAL", "instance-data", "instance-data.ec2.internal", "printer.local"),
    *("router.home.arpa", "db", "redis", "consul.service.consul", "hidden.onion", "[::]", "[::1]"),
    *("[0000::1]", "[0:0:0:0:0:0:0:1]", "[::1%25lo]", "[::1%lo]", "[fe80::1]", "[fe80::1%25eth0]"),
    *("[fec0::1]", "[fc00::1]", "[fd00:ec2::254]", "[fd20:ce::254]", "[fd00:42::42]", "[ff02::1]"),
    *(
        "[2001:db8::1]",
        "[5f00::1]",
        "[3fff::1]",
        "[100::1]",
        "[::ffff:7f00:1]",
        "0",
        "00",
        "0x0",
        "127.1",
    ),
    *(
        "127.0.1",
        "127.",
        "0x7f.1",
        "0177.1",
        "1.1.1.1",
        "[2606:4700::1111]",
        "",
        ".",
        "..",
        "*",
        "-",
    ),
    *("%", "%00", "localhost%00.a.example", "127.0.0.1%00.a.example", "a.example%2f@127.0.0.1"),
    *("$(hostname)", "`id`", "{host}", "%6c%6f%63%61%6c%68%6f%73%74", "xn--", "a..example", "_"),
    f"evil--svc-{'0a' * 16}.modal.run",
    f"EVIL--SVC-{'0A' * 16}.MODAL.RUN",
    f"{'a' * 64}.example",
    f"{'a.' * 130}example",
]

_WHOLE = [
    # Users, passwords and what only looks like them.
    "https://a.example@127.0.0.1:{port}/",
    "https://a.example:443@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}@a.example/",
    "https://user:word@private.example:{port}/",
    "https://@127.0.0.1:{port}/",
    "https://a.example%40127.0.0.1:{port}/",
    "https://a.example&@127.0.0.1:{port}#@b.example/",
    "https://a.example@@127.0.0.1:{port}/",
    # Characters on which parsers differ.
    "https://a.example\\@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\\@a.example/",
    "https://127.0.0.1:{port}\\.a.example/",
    "https:\\\\127.0.0.1:{port}\\",
    "https:/\\127.0.0.1:{port}/",
    "https://a.example#@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#.a.example/",
    "https://127.0.0.1:{port}#@a.example/",
    "https://127.0.0.1:{port}?@a.example/",
    "https://127.0.0.1:{port};@a.example/",
    "https://a.example;127.0.0.1:{port}/",
    "https://a.example,127.0.0.1:{port}/",
    "https://a.example 127.0.0.1:{port}/",
    "https://a.example\t@127.0.0.1:{port}/",
    "https://127.0.0.1\t:{port}/",
    "https://127.0.\n0.1:{port}/",
    "https://a.example\r\nHost: 127.0.0.1/",
    "https://a.example/\r\nX: y",
    "https://a.example/%0d%0a\r\n",
    "https://127.0.0.1:{port}/\0",
    "https://a.example\0@127.0.0.1:{port}/",
    "https://a.example\uff0f@127.0.0.1:{port}/",
    "https://a.example\uff20127.0.0.1:{port}/",
    "https://a.example\uff1a443@127.0.0.1:{port}/",
    "https://a.example\u2025@127.0.0.1:{port}/",
    "https://127.0.0.1\u200b:{port}/",
    "https://\ufeff127.0.0.1:{port}/",
    "https://\ud800:{port}/",
    " https://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/ ",
    "\x01https://127.0.0.1:{port}/",
    "<https://127.0.0.1:{port}/>",
    '"https://127.0.0.1:{port}/"',
    # Ports.
    "https://127.0.0.1:{port}:443/",
    "https://a.example:443:{port}/",
    "https://127.0.0.1:0{port}/",
    "https://127.0.0.1:+{port}/",
    "https://127.0.0.1:-1/",
    "https://127.0.0.1:/",
    "https://a.example:0/",
    "https://a.example:22/",
    "https://a.example:25/",
    "https://a.example:80/",
    "https://a.example:6379/",
    "https://a.example:65536/",
    "https://a.example:99999999999/",
    "https://a.example:\u0664\u0664\u0663/",
    # Schemes.
    "http://127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}/",
    "http://a.example/",
    "http://private.example:{port}/",
    "ws://127.0.0.1:{port}/",
    "wss://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_GET",
    "dict://127.0.0.1:{port}/stat",
    "ldap://127.0.0.1:{port}/",
    "tftp://127.0.0.1:{port}/a",
    "sftp://127.0.0.1:{port}/",
    "smb://127.0.0.1/c$",
    "jar:https://127.0.0.1:{port}/a.jar!/",
    "view-source:https://127.0.0.1:{port}/",
    "url:https://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "file:/etc/passwd",
    "data:text/plain,a",
    "data:application/json;base64,e30=",
    "javascript:alert(1)",
    "about:blank",
    "blob:https://127.0.0.1:{port}/a",
    "netdoc:///etc/passwd",
    "https+http://127.0.0.1:{port}/",
    "1https://127.0.0.1:{port}/",
    "https",
    "https:",
    "https:/",
    "https://",
    "https:///",
    "https:///127.0.0.1:{port}/",
    "https:127.0.0.1:{port}/",
    "https:/127.0.0.1:{port}/",
    "https:////127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "/tool",
    "tool",
    "127.0.0.1:{port}",
    "127.0.0.1:{port}/",
    "?",
    "#",
    "",
    " ",
    # Length.
    "https://a.example/" + "x" * 40_000,
    "https://" + "a" * 4_000 + ".example/",
    "https://a.example:" + "4" * 5_000 + "/",
    "https://" + "127.0.0.1@" * 300 + "127.0.0.1:{port}/",
    # What the tool's own placeholder or template would be.
    "https://{{host}}/",
    "https://${HOST}/",
    "https://%s/",
    # Names that have addresses inside.
    "https://private.example:{port}/",
    "https://private.example.:{port}/",
    "https://PRIVATE.example:{port}/path?query",
    "https://mixed.example:{port}/",
    "https://none.example:{port}/",
    "https://nothing.example:{port}/",
]


def _hosts() -> Iterator[str]:
    for address in INSIDE:
        yield from ipv4_spellings(address)
        yield from ipv6_spellings(address)
    yield from _HOSTS


NAMES: dict[str, list[str]] = {
    "private.example": ["127.0.0.1"],
    "mixed.example": ["93.184.215.14", "127.0.0.1"],
    "nothing.example": [],
    "a.example": ["127.0.0.1"],
    "b.example": ["127.0.0.2"],
    "xn--lcalhost-n4a.example": ["127.0.0.1"],
    **{
        name: ["127.0.0.1"]
        for name in ("localhost", "localhost.localdomain", "kubernetes.default.svc", "db", "redis")
    },
    **{
        f"inside-{place}-{way}.example": [spelling.strip("[]")]
        for place, address in enumerate(INSIDE)
        for way, spelling in enumerate([address, *ipv6_spellings(address)])
        if "%" not in spelling
    },
}
"""What names resolve to, in a world where an attacker has a domain: each INSIDE address, also as
every IPv6 address that stands for it. Even ``a.example``, the decoy in front of others, leads in.
"""


def _named() -> Iterator[str]:
    for name in NAMES:
        yield f"https://{name}:{PORT}/"


URL_FORMS = tuple(
    dict.fromkeys([*(f"https://{host}:{PORT}/" for host in _hosts()), *_WHOLE, *_named()])
)


def url_forms(port: int) -> tuple[str, ...]:
    """All of them, leading to this port where a port can be chosen."""
    return tuple(form.replace(PORT, str(port)) for form in URL_FORMS)
