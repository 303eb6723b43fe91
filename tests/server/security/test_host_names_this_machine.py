"""By which names a machine is asked for from itself."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from antiphon_server.security.host_names import names_this_machine


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "a.localhost.", "127.0.0.1:80", "127.9.9.9", "[::1]:80"]
)
def test_a_name_that_leads_nowhere_else_is_this_machines(host: str) -> None:
    """With or without a port."""
    assert names_this_machine(Headers({"host": host}))


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1",
        "[2001:db8::1]", "localhost:80:80", "user@localhost", "[::1", "127.0.0.1 x",
    ],
)  # fmt: skip
def test_any_other_name_is_not(host: str) -> None:
    """Also one that resolves to it: that is how a page of elsewhere would come in."""
    assert not names_this_machine(Headers({"host": host}))


def test_two_names_or_none_are_nobodys() -> None:
    """Which of them counts is not known here."""
    two = Headers(raw=[(b"host", b"localhost"), (b"host", b"localhost")])
    assert not names_this_machine(two)
    assert not names_this_machine(Headers({}))
