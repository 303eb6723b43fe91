"""Options that hold JSON."""

import pytest

from antiphon_providers.options import json_object


def test_an_object_is_read() -> None:
    """With anything in it."""
    assert json_object('{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": 1} x', "[" * 9999, "\ud800"])
def test_anything_else_is_a_value_error(text: str) -> None:
    """Of the kind that an options struct may raise, so that settings are refused with it."""
    with pytest.raises(ValueError, match=r"no JSON object|surrogates"):
        json_object(text)
