"""Which addresses are public: examples from the registries, properties of embedding."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.security.addresses import is_public

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "168.63.129.15",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80e::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2606:4700::5efe:808:808",
]
"""Well-known servers, the neighbours of what is set aside, and forms of a public IPv4 address."""

SET_ASIDE_4 = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
    *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
]
SET_ASIDE_6 = [
    *("::/128", "::1/128", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64"),
    *("100:0:0:1::/64", "2001::/23", "2001::/32", "2001:2::/48", "2001:3::/32"),
    *("2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32"),
    *("2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20", "5f00::/16", "fc00::/7"),
    *("fe80::/10", "fec0::/10", "ff00::/8"),
]

METADATA = [
    "169.254.169.254",  # AWS, Google, Azure, DigitalOcean, Hetzner, OpenStack and others.
    "169.254.170.2",  # AWS, containers.
    "169.254.42.42",  # Scaleway.
    "169.254.0.23",  # Tencent.
    "100.100.100.200",  # Alibaba.
    "192.0.0.192",  # Oracle.
    "168.63.129.16",  # Azure.
    "fd00:ec2::254",  # AWS.
    "fd20:ce::254",  # Google.
    "fd00:42::42",  # Scaleway.
    "fd00:c1::a9fe:a9fe",  # Oracle.
    "fe80::a9fe:a9fe",  # OpenStack.
]

FOOLED = [
    *("192.0.0.192", "168.63.129.16", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::1"),
    *("::127.0.0.1", "fec0::1", "224.0.0.1", "ff02::1"),
]
"""All of these are global to ``ipaddress`` of CPython 3.11."""


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    """Nobody is kept from the internet."""
    assert is_public(ip_address(address))


@pytest.mark.parametrize("network", SET_ASIDE_4)
def test_what_is_set_aside_is_not_public(network: str) -> None:
    """From the first address of each IPv4 network to its last."""
    addresses = IPv4Network(network)
    assert not is_public(addresses[0])
    assert not is_public(addresses[-1])


@pytest.mark.parametrize("network", SET_ASIDE_6)
def test_what_is_set_aside_of_ipv6_is_not_public(network: str) -> None:
    """From the first address of each IPv6 network to its last."""
    addresses = IPv6Network(network)
    assert not is_public(addresses[0])
    assert not is_public(addresses[-1])


@pytest.mark.parametrize("address", METADATA)
def test_no_metadata_service_is_public(address: str) -> None:
    """They hand a machine's credentials to whoever asks."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", FOOLED)
def test_what_the_standard_library_takes_for_global_is_refused(address: str) -> None:
    """Which is why this module is not one line."""
    assert not is_public(ip_address(address))


def test_an_address_with_a_zone_is_of_this_machine() -> None:
    """A zone names a network interface, whatever the address before it."""
    assert not is_public(IPv6Address("2606:4700::1%eth0"))


def _embeddings(ip: IPv4Address) -> list[IPv6Address]:
    """An IPv4 address in every form that an IPv6 address has for it."""
    four = int(ip)
    return [
        IPv6Address(number)
        for number in (
            0xFFFF << 32 | four,  # Mapped.
            0xFFFF << 48 | four,  # Translated.
            four,  # Compatible.
            0x64FF9B << 96 | four,  # NAT64.
            0x64FF9B0001 << 80 | four,  # NAT64 of one network.
            0x2002 << 112 | four << 80 | 1,  # 6to4.
            0x2001 << 112 | 0x5DB8D70E << 64 | (four ^ 0xFFFF_FFFF),  # Teredo.
            0xFE80 << 112 | 0x5EFE << 32 | four,  # ISATAP.
            0x2606_4700 << 96 | 0x5EFE << 32 | four,  # ISATAP of a public network.
            0x2606_4700 << 96 | 0x0200_5EFE << 32 | four,  # The same, with the u bit.
        )
    ]


@given(st.ip_addresses(v=4))
def test_no_form_of_an_address_is_more_public_than_the_address(ip: IPv4Address) -> None:
    """A private address does not become public by being written as IPv6."""
    for embedded in _embeddings(ip):
        assert is_public(ip) or not is_public(embedded)


@given(st.sampled_from([*map(IPv4Network, SET_ASIDE_4)]), st.integers(min_value=0))
def test_every_address_of_what_is_set_aside_is_refused_in_every_form(
    network: IPv4Network, offset: int
) -> None:
    """The property above, where it matters."""
    ip = network[offset % network.num_addresses]
    assert not is_public(ip)
    assert not any(map(is_public, _embeddings(ip)))


@given(st.ip_addresses(v=6))
def test_only_what_the_internet_uses_of_ipv6_is_public(ip: IPv6Address) -> None:
    """Global unicast, or an IPv4 address in a form that a socket or a network translates."""
    if is_public(ip):
        known = [IPv6Network(name) for name in ("2000::/3", "::ffff:0:0/96", "64:ff9b::/96")]
        assert any(ip in network for network in known)


@given(st.ip_addresses(v=4))
def test_nothing_is_public_that_the_standard_library_calls_private(ip: IPv4Address) -> None:
    """Its list is a part of ours."""
    assert ip.is_global or not is_public(ip)
