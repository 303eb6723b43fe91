"""What is shared by all who change providers."""

from __future__ import annotations

import pytest

from antiphon_providers.errors import Refused
from antiphon_server.settings import Candidate
from antiphon_server.stages.changes import ChangeFailed, same, without_secrets


@pytest.mark.parametrize("option", ["api_key", "token", "client_secret", "password", "headers"])
def test_what_sounds_like_a_secret_is_not_repeated(option: str) -> None:
    """Also where a message breaks it off."""
    value = f'{{"X-Key": "{"s" * 200}"}}'
    chosen = [Candidate("llm", "openai", {option: value, "model": "large"})]
    for quoted in (value, value[:100]):
        words = without_secrets(f"'{quoted}' does not fit the model large", chosen)
        assert words == "'***' does not fit the model large"


def test_a_password_in_a_url_is_not_repeated() -> None:
    """Wherever the URL is."""
    words = without_secrets("http://me:mine@there/v1 is away, me@there is not", [])
    assert words == "http://***@there/v1 is away, me@there is not"


def test_what_is_short_or_no_secret_is_left_as_it_is() -> None:
    """A message without its words would help nobody."""
    chosen = [Candidate("llm", "openai", {"api_key": "e", "model": "large"})]
    assert without_secrets("there is no model large", chosen) == "there is no model large"


def test_providers_are_the_same_with_the_same_options_in_the_same_order() -> None:
    """Where the options were set does not matter."""
    one, two = Candidate("llm", "a", {"x": "1"}), Candidate("llm_2", "b")
    assert same([one, two], [Candidate("llm_9", "a", {"x": "1"}), Candidate("llm_3", "b")])
    assert not same([one, two], [two, one])
    assert not same([one], [Candidate("llm", "a", {"x": "2"})])
    assert not same([one], [one, two])


def test_a_failure_tells_the_stage_and_the_providers_words() -> None:
    """For people, and for programs."""
    failure = Refused("no such model")
    failed = ChangeFailed("llm", failure)
    assert (str(failed), failed.setting, failed.failure) == ("no such model", "llm", failure)
