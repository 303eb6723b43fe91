"""What a database lost or doubled is noticed, or nothing that is proven with it holds."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from endurance.kept import Kept, differences
from endurance.live_calls import Known, Witness
from endurance.story import Story

USED = {"connected_seconds": 2.0, "prompt_tokens": 3, "completion_tokens": 4, "characters": 6}


def _witness() -> Witness:
    """One session that heard and said one line each, and was live at the end."""
    story = Story(told_last_seq=True)
    story.events += [
        {"type": "transcript.user", "item_id": "i1", "text": "Hi."},
        {"type": "transcript.agent", "reply_id": "r1", "text": "Hello."},
    ]
    known = Known("s1", story, opened_at=10.0)
    return Witness([known], {"s1": dict(USED)}, gone_at=12.5)


def _kept() -> Kept:
    """The same, as the next start leaves it."""
    return Kept(
        status={"s1": ("completed", "lost")},
        records={
            "s1": [
                (0, "started", {}),
                (1, "user_said", {"item_id": "i1", "text": "Hi."}),
                (2, "used", dict(USED)),
                (3, "agent_said", {"reply_id": "r1", "text": "Hello."}),
                (4, "ended", {}),
            ]
        },
        used={"s1": dict(USED)},
        used_rows=Counter([("s1", 2)]),
    )


def _found(kept: Kept) -> list[str]:
    return differences(kept, _witness(), {"lost"})


def test_a_database_that_has_what_was_told_is_in_order() -> None:
    """Nothing is found."""
    assert _found(_kept()) == []


def test_a_line_that_is_missing_is_found() -> None:
    """And the gap that it leaves."""
    kept = _kept()
    del kept.records["s1"][1]
    assert _found(kept) == [
        "s1: its records are [0, 2, 3, 4]",
        "s1: ('i1', 'Hi.') is there 0 times",
    ]


def test_a_line_that_is_doubled_is_found() -> None:
    """Under another number."""
    kept = _kept()
    kept.records["s1"].append((5, "agent_said", {"reply_id": "r1", "text": "Hello."}))
    assert "s1: ('r1', 'Hello.') is doubled" in _found(kept)


@pytest.mark.parametrize("name", USED)
def test_usage_that_is_missing_is_found(name: str) -> None:
    """Of each kind; also against the records."""
    kept = _kept()
    kept.used["s1"][name] -= 1
    assert f"s1: {name} was told to be {USED[name]} and is {USED[name] - 1}" in _found(kept)


def test_usage_that_is_doubled_is_found() -> None:
    """By its row, by the records, and by what can be at all."""
    kept = _kept()
    kept.used_rows["s1", 2] += 1
    kept.used["s1"]["connected_seconds"] *= 2
    assert _found(kept) == [
        "s1: connected_seconds is 4.0, and its records say 2.0",
        "s1: usage 2 is there 2 times",
        "s1: connected for 4.0 s, and lived 2.500 s",
    ]


def test_a_session_that_did_not_end_is_found() -> None:
    """Or that ended for a reason it cannot have; or that is not known at all."""
    assert _found(replace(_kept(), status={"s1": ("created", None)}))
    assert _found(replace(_kept(), status={"s1": ("completed", "client_ended")}))
    assert _found(replace(_kept(), records={})) == ["s1: nothing is known of it"]
