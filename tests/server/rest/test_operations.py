"""Operations as modules of resources declare them."""

from __future__ import annotations

import re

from antiphon_server.rest.operations import Operation
from rest_model import operations


def _named(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def test_every_operation_is_under_the_version_and_says_what_it_does() -> None:
    """In a few words, and under a heading."""
    for operation in operations():
        assert re.fullmatch(r"/v1(/[a-z.-]+|/\{\w+\})+", operation.path), _named(operation)
        assert operation.summary
        assert operation.tag


NEVER_SUCCEED = {"GET /v1/calls/{call_id}", "GET /v1/phone-numbers/{number}"}
"""There are no telephones."""


def test_a_success_has_a_body_unless_it_is_204() -> None:
    """Of a type, or of a media type."""
    for operation in operations():
        has_body = operation.answers is not None or bool(operation.media)
        succeeds = _named(operation) not in NEVER_SUCCEED
        assert has_body == (operation.status != 204 and succeeds), _named(operation)


def test_only_what_changes_something_takes_a_body() -> None:
    """A ``GET`` or ``DELETE`` has none."""
    for operation in operations():
        takes = operation.takes is not None
        assert takes == (operation.method in {"POST", "PUT", "PATCH"}), _named(operation)
