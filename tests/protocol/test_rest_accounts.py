"""The body of ``GET /v1/usage``."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from antiphon_protocol.rest_accounts import UsageList, UsageSums


@pytest.mark.parametrize("kind", [UsageSums, UsageList], ids=lambda kind: kind.__name__)
def test_every_body_and_field_says_what_it_means(kind: type[msgspec.Struct]) -> None:
    """In the schema, from which documents are made."""
    _, definitions = msgspec.json.schema_components([kind])
    schema = definitions[kind.__name__]
    assert schema["description"]
    assert all(value.get("description") for value in schema["properties"].values())


def test_a_sum_names_what_it_is_of_and_nothing_else() -> None:
    """A key that is null is named; what was not asked for is not there."""
    numbers = {
        "sessions": 1, "connected_seconds": 1.5, "prompt_tokens": 2, "completion_tokens": 3,
        "characters": 4,
    }  # fmt: skip
    for name in ({"key_id": None}, {"day": "2026-10-31"}, {"session_id": "s"}):
        sums = msgspec.convert({**name, **numbers}, UsageSums)
        assert msgspec.to_builtins(sums) == {**name, **numbers}


def test_the_list_says_which_time_it_is_about() -> None:
    """In the words of the query."""
    moment = datetime(2026, 10, 1, tzinfo=UTC)
    body = UsageList(start=moment, end=moment, group_by="day", usage=())
    assert msgspec.json.decode(msgspec.json.encode(body)) == {
        "has_more": False,
        "response_metadata": {"next_cursor": ""},
        "from": "2026-10-01T00:00:00Z",
        "to": "2026-10-01T00:00:00Z",
        "group_by": "day",
        "usage": [],
    }
