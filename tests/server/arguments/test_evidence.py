"""What counts as said."""

from __future__ import annotations

import pytest

from antiphon_server.arguments.evidence import MOST_CHARACTERS, Evidence, Sources


def said(*turns: str, results: tuple[str, ...] = ()) -> Evidence:
    """What the user said, and tools answered."""
    return Evidence(Sources(turns, results))


@pytest.mark.parametrize(
    ("turn", "digits"),
    [
        ("1 0 4 2 3", "10423"),
        ("ten four twenty three", "10423"),
        ("it is 555, I mean 556, 0199", "5560199"),
        ("one hundred and five", "105"),
        ("forty two", "00042"),
    ],
)
def test_digits_are_said_in_many_ways(turn: str, digits: str) -> None:
    """One by one, in groups, corrected, with zeros in front that nobody says."""
    assert said(turn).has_digits(digits)


def test_digits_over_several_turns_are_one_number() -> None:
    """People wait for the agent between the groups."""
    assert said("four one five", "five five five", "0199").has_digits("4155550199")


def test_digits_that_were_read_are_whole_numbers_or_their_ends() -> None:
    """A part from the middle of some number is chance; the last four of a card are not."""
    evidence = said(results=('{"card": "4111-1111-1111-4242", "n": 905512}',))
    assert evidence.has_digits("4111111111114242")
    assert evidence.has_digits("4242")
    assert not evidence.has_digits("0551")


def test_parts_of_a_number_are_at_least_three_digits() -> None:
    """Of shorter ones any number can be made; and they follow each other."""
    assert said("415 no 416 and 555 and 0199").has_digits("4165550199")
    assert not said("415 and 555 and 0199").has_digits("0199555415")
    assert not said("555 0199").has_digits("55550199")
    assert not said("41 55 50 19 9").has_digits("5541199950")
    assert not said("41 55 50 19 9").has_digits("9951")


def test_a_country_code_need_not_be_said() -> None:
    """It belongs to a telephone number only."""
    assert said("(415) 555-0199").has_phone("14155550199")
    assert not said("(415) 555-0199").has_digits("14155550199")
    assert not said("555-0199").has_phone("4155550199")


def test_codes_are_spelled_and_nearly_counts() -> None:
    """A letter may be misheard, a digit may not."""
    evidence = said("It's M like Mary, K, W, P, seven seven four")
    assert evidence.has_code("mkwp774")
    assert evidence.has_code("nkwp774")
    assert not evidence.has_code("mkwp779")
    assert not evidence.has_code("zzqj774")


def test_words_are_said_as_they_sound() -> None:
    """Spelling is the recogniser's."""
    evidence = said("I'm Kathryn Smyth, s m y t h")
    assert all(evidence.has_word(word) for word in ("Catherine", "Smith", "smyth", "kathrin"))
    assert not any(evidence.has_word(word) for word in ("Peter", "Schmidt-Meyer", "Kim"))


def test_days_and_hours() -> None:
    """Named, or left to the model by a word such as ``soon``."""
    assert said("the third of March").has_day(3, 3)
    assert not said("the third of March").has_day(4, 3)
    assert said("oh three, oh four").has_day(4, 3)
    assert said("soon").has_day(4, 3)
    assert not said("soon").has_day(4, 3, coming=False)
    assert not said("may I").has_day(5, 1)
    assert said("at seven").has_hour(19, 0)
    assert said("quarter to eight").has_hour(19, 45)
    assert said("in the evening").has_hour(19, 0)
    assert not said("at seven").has_hour(15, 0)


def test_escapes_of_json_are_read_as_letters() -> None:
    """Many tools write them; what only looks like JSON is read as it is."""
    assert said(results=('{"n": "Jos\\u00e9"}',)).has_text("jose")
    assert said(results=('{"n": "Jos\\u00e9"',)).has_text("josu00e9")


def test_only_the_newest_of_a_long_call_counts() -> None:
    """What is looked at is bounded."""
    evidence = said("the code is 778899", "a" * MOST_CHARACTERS)
    assert not evidence.has_digits("778899")
    assert said("a" * MOST_CHARACTERS, "the code is 778899").has_digits("778899")


def test_a_language_of_other_letters_is_not_legible() -> None:
    """A foreign name in an English sentence makes the same of it."""
    assert said("I'm José").is_legible
    assert said("").is_legible
    assert not said("меня зовут Иван").is_legible
