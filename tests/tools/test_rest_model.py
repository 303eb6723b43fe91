"""The REST API as its documents see it."""

from __future__ import annotations

import pytest

from antiphon_server.security.outbound_errors import UnsafeUrl
from rest_model import _NoWayOut, document, operations


def test_the_document_is_of_all_operations() -> None:
    """Each under its path and method."""
    paths = document()["paths"]
    assert {(one.path, one.method.lower()) for one in operations()} == {
        (path, method) for path, methods in paths.items() for method in methods
    }


async def test_documents_reach_nothing() -> None:
    """Making one needs no network."""
    with pytest.raises(UnsafeUrl):
        await _NoWayOut().check_url("https://example.com")
