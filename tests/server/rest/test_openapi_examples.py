"""Examples are what they are examples of."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Struct

from antiphon_protocol.rest import ErrorBody
from antiphon_server.rest.openapi_examples import EXAMPLES
from antiphon_server.rest.shapes import shaped
from rest_model import operations

TAKEN = {operation.takes for operation in operations()}


@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: kind.__name__)
def test_an_example_fits_its_type(kind: type[Struct]) -> None:
    """By the rules that requests are checked with."""
    if kind in TAKEN:
        assert isinstance(shaped(EXAMPLES[kind], kind), kind)
    else:
        assert isinstance(msgspec.convert(EXAMPLES[kind], kind), kind)


def test_what_is_taken_has_an_example() -> None:
    """A reader begins there; so does every error."""
    assert TAKEN - {None} | {ErrorBody} <= EXAMPLES.keys()
