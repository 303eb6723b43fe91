"""Counting, spelling, the order of days and months, and leaving things to chance."""

from __future__ import annotations

import hashlib
import re

from antiphon_providers.local.dialogue.conversation import Answer, Conversation
from antiphon_providers.local.dialogue.dates import MONTHS, WEEKDAYS
from antiphon_providers.local.dialogue.spoken_numbers import numerals
from antiphon_providers.local.dialogue.words import clean, core, listed

LONGEST_COUNT = 30
"""Numbers counted aloud in one breath; the rest is offered."""
_LONGEST_SPELLING = 40

_POLITE = r"(?:can you |could you |please |now |and )*"
_COUNT = re.compile(
    rf"{_POLITE}count(?: up| down| backwards?)?(?: from (?P<start>\d{{1,6}}))?(?: up| down"
    rf"| backwards?)?(?: to (?P<end>\d{{1,6}}))?(?: for me)?"
)
_SPELL = re.compile(
    rf"{_POLITE}(?:spell(?: out)?|how do (?:you|i) spell|how is|what is the spelling of"
    rf"|the spelling of)(?: the (?:word|name))? (?P<word>.+?)(?: spelled| spelt| for me)?"
)
_NEIGHBOUR = re.compile(
    rf"{_POLITE}(?:tell me )?(?:what|which) (?:day|month)? ?(?:comes |is "
    rf"|of the year )*(?P<side>after|before|follows|precedes) (?P<what>\w+)"
)
_RECITE = re.compile(
    rf"{_POLITE}(?:what are|say|tell me|list|name|recite"
    rf"|give me)?(?: me)?(?: all)?(?: of)? ?(?:the )?(?P<what>days of the week|weekdays"
    rf"|months of the year|months|alphabet|abc)(?: in order)?"
)
_COIN = re.compile(rf"{_POLITE}(?:flip|toss|throw)(?: me)? a coin.*|heads or tails")
_DIE = re.compile(rf"{_POLITE}(?:roll|throw)(?: me)?(?: a| the| some| \d+)? (?:dice|die|d ?6).*")
_PICK = re.compile(
    rf"{_POLITE}(?:pick|choose|give me|tell me|say|think of)(?: me)? a (?:random )?number(?: "
    rf"between (?P<low>\d{{1,9}}) and (?P<high>\d{{1,9}})"
    rf"| from (?P<from>\d{{1,9}}) to (?P<to>\d{{1,9}}))?"
)


def recited(conversation: Conversation) -> Answer | None:
    """Counts, spells and names what comes in order."""
    utterance = conversation.utterance or ""
    told = core(utterance)
    if found := _COUNT.fullmatch(numerals(told)):
        return Answer(_counted(found, "down" in told or "backward" in told))
    if found := _SPELL.fullmatch(told):
        return _spelled(found["word"], utterance)
    if found := _NEIGHBOUR.fullmatch(told):
        return _neighbour(found["what"], back=found["side"] in {"before", "precedes"})
    if found := _RECITE.fullmatch(told):
        return Answer(_series(found["what"]))
    return None


def _counted(found: re.Match[str], down: bool) -> str:
    start = int(found["start"] or (10 if down else 1))
    end = int(found["end"] or (1 if down else start + 9))
    step = 1 if end >= start else -1
    numbers = list(range(start, end + step, step))
    counted = ", ".join(str(number) for number in numbers[:LONGEST_COUNT])
    if len(numbers) > LONGEST_COUNT:
        return f"{counted}, and so on up to {end}. I'll save you the rest."
    return f"{counted}."


def spelled(word: str) -> str:
    """``N, E, C``: letters one by one, a pause between words."""
    letters = [", ".join(part.upper()) for part in re.findall(r"\w+", word[:_LONGEST_SPELLING])]
    return "; ".join(letters)


def _spelled(word: str, utterance: str) -> Answer | None:
    if word in {"it", "that", "this"} or len(word) > _LONGEST_SPELLING:
        return Answer("Which word shall I spell? One word at a time, please.")
    quoted = re.search(re.escape(word), clean(utterance), re.IGNORECASE)
    written = quoted[0] if quoted else word
    return Answer(f"{written[0].upper()}{written[1:]}: {spelled(word)}.")


def _neighbour(what: str, back: bool) -> Answer | None:
    for series in (WEEKDAYS, MONTHS):
        if what in series:
            at = series.index(what) + (-1 if back else 1)
            side = "before" if back else "after"
            found = series[at % len(series)].title()
            return Answer(f"{found} comes {side} {what.title()}.")
    if len(what) == 1 and what.isascii() and what.isalpha():
        other = chr((ord(what) - 97 + (-1 if back else 1)) % 26 + 97).upper()
        return Answer(f"{other} comes {'before' if back else 'after'} {what.upper()}.")
    return None


def _series(what: str) -> str:
    if what in {"alphabet", "abc"}:
        return f"{', '.join('ABCDEFGHIJKLMNOPQRSTUVWXYZ')}."
    names = WEEKDAYS if "day" in what else MONTHS
    return f"{listed([name.title() for name in names])}."


def chanced(conversation: Conversation) -> Answer | None:
    """Coins, dice and numbers: chance for the caller, the same again for the same prompt."""
    told = numerals(core(conversation.utterance or ""))
    if _COIN.fullmatch(told):
        return Answer(f"It's {('heads', 'tails')[_draw(conversation, 2)]}.")
    if _DIE.fullmatch(told):
        return Answer(f"You rolled a {_draw(conversation, 6) + 1}.")
    if found := _PICK.fullmatch(told):
        low, high = int(found["low"] or found["from"] or 1), int(found["high"] or found["to"] or 10)
        low, high = min(low, high), max(low, high)
        return Answer(f"{low + _draw(conversation, high - low + 1)}.")
    return None


def _draw(conversation: Conversation, sides: int) -> int:
    digest = hashlib.sha256(
        f"{conversation.seed}{conversation.utterance}".encode(errors="replace")
    ).digest()
    return int.from_bytes(digest[:8], "big") % sides
