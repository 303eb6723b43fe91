"""What a wrapper may be told."""

import msgspec
import pytest

from antiphon_providers.resilience.policy import Policy


def test_the_defaults_are_those_of_a_voice_call() -> None:
    """A second to the first piece, six in all; five seconds of cooldown up to sixty."""
    policy = Policy()
    assert (policy.first_ms, policy.budget_ms) == (1000, 6000)
    assert (policy.cooldown_ms, policy.longest_cooldown_ms) == (5000, 60_000)
    assert (policy.hedge_least_ms, policy.hedge_most_ms, policy.hedge_share) == (250, 800, 0.1)
    assert not policy.hedge


def test_every_field_says_what_it_is() -> None:
    """So that a settings page can be made of it."""
    fields = msgspec.json.schema(Policy)["$defs"]["Policy"]["properties"]
    assert set(fields) == set(Policy.__struct_fields__)
    assert all(field["description"] for field in fields.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_ms": 0},
        {"failure_share": 1.1},
        {"hedge_share": -0.1},
        {"hedge_least_ms": 801},
        {"cooldown_ms": 60_001},
        {"no_such_field": 1},
        {"first_ms": "soon"},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    """Out of range, contradictory, unknown or of the wrong type."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Policy)
