"""What a setting may be, in words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from antiphon_server.setting_kinds import described


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Annotated[int, Meta(ge=1)], "a whole number, at least 1"),
        (Annotated[float, Meta(gt=0, le=1)], "a number, at most 1 and more than 0"),
        (Annotated[bool, Meta(description="A switch.")], "true or false"),
        (Annotated[str, Meta(description="A name.")], "text"),
        (Annotated[tuple[str, ...], Meta(description="Names.")], "a list of texts"),
        (Annotated[Literal["off", "on"], Meta(description="Which.")], "one of off, on"),
    ],
)
def test_a_kind_is_told_with_its_limits(kind: Any, words: str) -> None:
    """As a person would say it, after `is not`."""
    assert described(kind) == words
