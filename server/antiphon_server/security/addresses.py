"""Which IP addresses belong to the public internet.

``ipaddress.is_global`` is no such test: on CPython 3.11 it is true of the metadata addresses of
Azure and Oracle, of multicast, and of IPv6 addresses that stand for 127.0.0.1 or
169.254.169.254. Here an IPv6 address that stands for an IPv4 one is judged as that one, and
everything that a registry or a vendor has set aside is refused by name.

Sources: the IANA special-purpose address registries (RFC 6890 and its updates), RFC 6052,
RFC 4291, and for vendors' own addresses the page named beside each.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

_DENIED_4 = {
    "0.0.0.0/8": "this network, RFC 791; Linux connects it to itself",
    "10.0.0.0/8": "private use, RFC 1918",
    "100.64.0.0/10": "shared by carriers, RFC 6598; Alibaba's metadata at 100.100.100.200",
    "127.0.0.0/8": "loopback, RFC 1122",
    "169.254.0.0/16": "link-local, RFC 3927; most clouds' metadata at 169.254.169.254",
    "172.16.0.0/12": "private use, RFC 1918",
    "192.0.0.0/24": "protocol assignments, RFC 6890; Oracle's metadata at 192.0.0.192",
    "192.0.2.0/24": "documentation, RFC 5737",
    "192.31.196.0/24": "AS112 sinks, RFC 7535",
    "192.52.193.0/24": "automatic multicast tunnels, RFC 7450",
    "192.88.99.0/24": "6to4 relays, RFC 7526",
    "192.168.0.0/16": "private use, RFC 1918",
    "192.175.48.0/24": "AS112 sinks, RFC 7534",
    "198.18.0.0/15": "benchmarks, RFC 2544",
    "198.51.100.0/24": "documentation, RFC 5737",
    "203.0.113.0/24": "documentation, RFC 5737",
    "224.0.0.0/4": "multicast, RFC 1112",
    "240.0.0.0/4": "reserved, RFC 1112; with 255.255.255.255, RFC 919",
    "168.63.129.16/32": "Azure's host: metadata and DNS (learn.microsoft.com, 'IP 168.63.129.16')",
}

_DENIED_6 = {
    "::/96": "unspecified, loopback and IPv4-compatible, RFC 4291",
    "::ffff:0:0:0/96": "IPv4-translated, RFC 2765",
    "64:ff9b:1::/48": "NAT64 of one network, which alone knows where the IPv4 part is, RFC 8215",
    "100::/64": "discard, RFC 6666",
    "100:0:0:1::/64": "dummy prefix, RFC 9780",
    "2001::/23": "protocol assignments, RFC 2928: Teredo, benchmarks, ORCHID and others",
    "2001:db8::/32": "documentation, RFC 3849",
    "2002::/16": "6to4, RFC 7526",
    "2620:4f:8000::/48": "AS112 sinks, RFC 7534",
    "3ffe::/16": "the former 6bone, RFC 3701",
    "3fff::/20": "documentation, RFC 9637",
    "5f00::/16": "segment routing, RFC 9602",
    "fc00::/7": "unique local, RFC 4193; AWS's metadata at fd00:ec2::254",
    "fe80::/10": "link-local, RFC 4291",
    "fec0::/10": "site-local, RFC 3879",
    "ff00::/8": "multicast, RFC 4291",
}

_NETWORKS_4 = tuple(map(IPv4Network, _DENIED_4))
_NETWORKS_6 = tuple(map(IPv6Network, _DENIED_6))

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that RFC 4291 has given out so far; what is outside is nobody's website."""

_MAPPED = IPv6Network("::ffff:0:0/96")
"""A socket connects these by IPv4 (RFC 4291, section 2.5.5.2)."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""A network without IPv4 reaches IPv4 so, and its resolver gives such addresses (RFC 6052)."""

_ISATAP = 0x0000_5EFE
_ISATAP_MASK = 0xFCFF_FFFF
"""The interface identifier's upper half, less its u and g bits (RFC 5214, section 6.1)."""


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    """Whether anybody's server could have this address, and none of the operator's own network.

    Tunnels that can carry an IPv4 address inside (6to4, Teredo, IPv4-compatible) are refused
    whatever is inside, because no server is reached that way any more.
    """
    if isinstance(ip, IPv4Address):
        return _outside(ip, _NETWORKS_4)
    if ip.scope_id is not None:
        return False
    if ip in _MAPPED or ip in _NAT64:
        return is_public(_low_half(ip))
    if _is_isatap(ip) and not is_public(_low_half(ip)):
        return False
    return ip in _GLOBAL_UNICAST and _outside(ip, _NETWORKS_6)


def _outside(ip: IPv4Address | IPv6Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return not any(ip in network for network in networks)


def _low_half(ip: IPv6Address) -> IPv4Address:
    """The IPv4 address in the last 32 bits."""
    return IPv4Address(int(ip) & 0xFFFF_FFFF)


def _is_isatap(ip: IPv6Address) -> bool:
    return (int(ip) >> 32) & _ISATAP_MASK == _ISATAP
