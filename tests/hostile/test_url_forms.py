"""The list of URLs itself: long enough, and as dangerous as it says."""

import ipaddress
import socket

from antiphon_server.security.addresses import is_public
from hostile.url_forms import INSIDE, NAMES, URL_FORMS, ipv4_spellings, ipv6_spellings, url_forms


def test_there_are_at_least_three_hundred_forms_and_none_twice() -> None:
    """What the reliability objectives ask for, and more."""
    assert len(URL_FORMS) == len(set(URL_FORMS)) >= 300
    assert len(url_forms(1234)) == len(URL_FORMS)


def test_spellings_of_an_address_are_understood_by_a_resolver() -> None:
    """Half of them at least lead to 127.0.0.1 on this very machine, so they are no straw men."""

    def leads(spelling: str) -> bool:
        try:
            found = socket.getaddrinfo(spelling, 443, flags=socket.AI_NUMERICHOST)
        except OSError:
            return False
        return found[0][4][0] == "127.0.0.1"

    spellings = list(ipv4_spellings("127.0.0.1"))
    assert sum(map(leads, spellings)) >= len(spellings) / 2


def test_spellings_in_ipv6_are_addresses() -> None:
    """Those without a zone."""
    for address in INSIDE:
        for spelling in ipv6_spellings(address):
            if "%" not in spelling:
                ipaddress.IPv6Address(spelling.strip("[]"))


def test_every_name_leads_inside_or_nowhere() -> None:
    """Otherwise a test that uses it would prove nothing."""
    for answers in NAMES.values():
        assert not answers or not all(is_public(ipaddress.ip_address(one)) for one in answers)
