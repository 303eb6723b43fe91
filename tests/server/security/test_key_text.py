"""API keys as text."""

from __future__ import annotations

import re

import pytest

from antiphon_server.security import key_text

PEPPER = bytes(range(32))


def test_a_key_is_its_id_and_a_secret() -> None:
    """Of 256 random bits, never the same."""
    made = [key_text.new_key() for _ in range(100)]
    assert len({key_id for key_id, _ in made}) == len({text for _, text in made}) == 100
    for key_id, text in made:
        assert re.fullmatch(r"key_[0-9a-f]{16}", key_id)
        assert re.fullmatch(r"antiphon_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", text)
        assert key_text.id_of(text) == key_id


@pytest.mark.parametrize("at", [0, 8, 9, 20, 24, 25, 26, 50, 67, 68])
def test_what_is_nearly_a_key_has_no_id(at: int) -> None:
    """Nothing is cut, folded or forgiven."""
    _, text = key_text.new_key()
    assert key_text.id_of(text[:at]) is None
    for other in ("\n", "\x00", "ä", "\udcff", " "):
        assert key_text.id_of(text[:at] + other + text[at:]) is None
    assert key_text.id_of(text.upper()) is None
    assert key_text.id_of(text + text) is None


def test_a_digest_says_nothing_without_the_pepper() -> None:
    """The same key has another digest under another pepper, and another mark."""
    _, text = key_text.new_key()
    one, other = key_text.digest(PEPPER, text), key_text.digest(PEPPER[::-1], text)
    assert one == key_text.digest(PEPPER, text) != other
    assert len(one) == 40
    assert key_text.mark_of(one) == key_text.mark(PEPPER) != key_text.mark_of(other)
    assert text.encode() not in one


def test_two_keys_have_two_digests() -> None:
    """The id is part of what is digested: a row's digest is good in no other row."""
    _, text = key_text.new_key()
    other = f"antiphon_{'0' * 16}_{text[-43:]}"
    assert key_text.digest(PEPPER, text) != key_text.digest(PEPPER, other)


def test_without_a_pepper_there_is_no_digest() -> None:
    """An empty one would make guesses checkable by everybody."""
    with pytest.raises(ValueError, match="pepper"):
        key_text.digest(b"", "x")
