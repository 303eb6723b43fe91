"""Temporary tokens: made, found, spent, forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from antiphon_server.security.admission import Admission
from antiphon_server.security.tokens import Tokens, TooManyTokens

GRANT = Admission(account="account", key_id="key_1", session_seconds=600, by_token=True)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_a_token_stands_for_what_was_granted() -> None:
    """As often as it is asked for; spending it changes nothing by default."""
    tokens = Tokens()
    token = tokens.mint(GRANT, 60)
    for _ in range(3):
        assert tokens.find(token) == GRANT
        assert tokens.spend(token)


def test_tokens_are_long_and_never_the_same() -> None:
    """43 characters of base64 would already hold 256 random bits."""
    tokens = Tokens()
    made = {tokens.mint(GRANT, 60) for _ in range(100)}
    assert len(made) == 100
    assert all(len(token) >= 43 for token in made)


def test_a_token_expires_with_its_window() -> None:
    """Exactly then, each by its own."""
    clock = Clock()
    tokens = Tokens(clock=clock)
    long, short = tokens.mint(GRANT, 600), tokens.mint(GRANT, 1)
    clock.now += 0.999
    assert tokens.find(short) == GRANT
    clock.now += 0.001
    assert tokens.find(short) is None
    clock.now += 598.9
    assert tokens.find(long) == GRANT
    clock.now += 0.2
    assert tokens.find(long) is None


def test_a_one_time_token_opens_one_session() -> None:
    """Found until it is spent, never after; another one is not touched."""
    tokens = Tokens(one_time=True)
    token, other = tokens.mint(GRANT, 60), tokens.mint(GRANT, 60)
    assert tokens.find(token) == tokens.find(token) == GRANT
    assert tokens.spend(token)
    assert tokens.find(token) is None
    assert not tokens.spend(token)
    assert tokens.find(other) == GRANT


def test_of_a_hundred_racers_one_wins() -> None:
    """Each has found the token good before any of them spends it; also between threads."""
    tokens = Tokens(one_time=True)
    for _ in range(100):
        token = tokens.mint(GRANT, 60)
        assert [tokens.find(token) for _ in range(100)] == [GRANT] * 100
        assert [tokens.spend(token) for _ in range(100)].count(True) == 1
    with ThreadPoolExecutor(8) as threads:
        for _ in range(20):
            token = tokens.mint(GRANT, 60)
            assert list(threads.map(tokens.spend, [token] * 100)).count(True) == 1


@pytest.mark.parametrize("presented", ["", "x", "ключ", "a" * 100_000, "\udcff", "\x00"])
def test_what_was_never_minted_is_nothing(presented: str) -> None:
    """Nor is it ever spent."""
    tokens = Tokens(one_time=True)
    token = tokens.mint(GRANT, 60)
    for wrong in (presented, token[:-1], token + "=", token.swapcase(), f" {token}"):
        assert tokens.find(wrong) is None
        assert not tokens.spend(wrong)
    assert tokens.find(token) == GRANT


def test_there_is_room_for_so_many() -> None:
    """The next one is told when there will be room, and has it then."""
    clock = Clock()
    tokens = Tokens(most=2, clock=clock)
    tokens.mint(GRANT, 600)
    tokens.mint(GRANT, 30)
    clock.now += 0.5
    with pytest.raises(TooManyTokens) as full:
        tokens.mint(GRANT, 60)
    assert full.value.retry_seconds == 30
    clock.now += full.value.retry_seconds
    assert tokens.find(tokens.mint(GRANT, 60)) == GRANT


def test_spent_tokens_take_room_until_they_expire() -> None:
    """Or spending them at once would make the bound none."""
    tokens = Tokens(one_time=True, most=1)
    tokens.spend(tokens.mint(GRANT, 60))
    with pytest.raises(TooManyTokens):
        tokens.mint(GRANT, 60)


def test_the_token_itself_is_not_kept() -> None:
    """Who reads the memory of the process finds digests."""
    tokens = Tokens()
    token = tokens.mint(GRANT, 60)
    assert token not in repr(vars(tokens))


def test_a_key_takes_its_tokens_with_it() -> None:
    """And no other's."""
    tokens = Tokens()
    mine = [tokens.mint(GRANT, 60) for _ in range(3)]
    others = tokens.mint(replace(GRANT, key_id="key_2"), 60)
    nobodys = tokens.mint(replace(GRANT, key_id=None), 60)
    tokens.revoke("key_1")
    assert [tokens.find(token) for token in mine] == [None] * 3
    assert tokens.find(others) is not None
    assert tokens.find(nobodys) is not None
    tokens.revoke("key_1")
    assert tokens.find(tokens.mint(GRANT, 60)) == GRANT


def test_tokens_of_a_revoked_key_expire_quietly() -> None:
    """Their room is given back at their time, once."""
    clock = Clock()
    tokens = Tokens(most=1, clock=clock)
    tokens.mint(GRANT, 60)
    tokens.revoke("key_1")
    with pytest.raises(TooManyTokens):
        tokens.mint(GRANT, 60)
    clock.now += 60
    assert tokens.find(tokens.mint(GRANT, 60)) == GRANT
