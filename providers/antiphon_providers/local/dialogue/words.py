"""Text as a recogniser writes it, made comparable: cleaned, split, stemmed and compared.

A recogniser's punctuation and capitals cannot be relied on, so everything that is matched is
matched on ``plain`` text; what is repeated to the caller comes from ``clean`` text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

LONGEST_TEXT = 2_000
"""Characters of one utterance that are looked at: five minutes of speech is about as much."""


def table(text: str) -> list[str]:
    """The words of a table that is written as text."""
    return text.split()


STOP_WORDS = frozenset(
    table("""a about actually all also am an and any are as at be been but by can could did do does
    doing for from give go going had has have he her here hi his how i if in into is it its just
    know let like may me might must my need no not now of off on one or our out please
    really say shall she should so some something tell than that the their them then there these
    they this those to too um up us use want was we well were what when where which who whom why
    will wish with would yes you your yours want wants get gets got make makes thing things okay
    ok hello hey sir madam much many whether using used user caller customer value string number
    optional required""")
)
"""Words that say nothing of what an utterance is about."""

FILLERS = frozenset(table("um uh er erm hmm well so okay ok oh hey please right alright and"))

_CONTRACTIONS = (
    (r"\bcan't\b", "cannot"),
    (r"\bwon't\b", "will not"),
    (r"n't\b", " not"),
    (r"\b(i)'m\b", r"\1 am"),
    (r"'re\b", " are"),
    (r"'ve\b", " have"),
    (r"'ll\b", " will"),
    (r"'d\b", " would"),
    (r"\b(what|who|where|when|how|that|it|there|here|he|she|name|which)'s\b", r"\1 is"),
    (r"\b(what|who|where|when|how) s\b", r"\1 is"),
    (r"\blet's\b", "let us"),
    (r"\bwhats\b", "what is"),
    (r"\bgonna\b", "going to"),
    (r"\bwanna\b", "want to"),
)
_SPELLINGS = (("favorite", "favourite"), ("color", "colour"), ("apologize", "apologise"))
_TOKEN = re.compile(r"\d+(?:[.:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*")

_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\bDr\.)(?<!\bMr\.)(?<!\bMs\.)(?<!\bMrs\.)(?<!\bSt\.)\s+(?=\S)"
    r"|\n+|(?:^|\s)[-•]\s+"
)


def clean(text: str, limit: int = LONGEST_TEXT) -> str:
    """One line of ordinary characters, at most ``limit`` long."""
    usable = unicodedata.normalize("NFKC", text[:limit]).replace("\u2019", "'")
    return " ".join("".join(c if c.isprintable() else " " for c in usable).split())[:limit]


@lru_cache(maxsize=512)
def plain(text: str) -> str:
    """Lower case, contractions written out, no punctuation but ``.`` and ``:`` in numbers."""
    lowered = re.sub(r"(?<=\d),(?=\d{3}\b)", "", clean(text).lower())
    for short, full in _CONTRACTIONS:
        lowered = re.sub(short, full, lowered)
    for american, british in _SPELLINGS:
        lowered = lowered.replace(american, british)
    return " ".join(_TOKEN.findall(lowered))


def words(text: str) -> tuple[str, ...]:
    """The words of ``plain`` text."""
    return tuple(plain(text).split())


def core(text: str) -> str:
    """Plain text without the noises people begin and end with."""
    left = list(words(text))
    while left and left[0] in FILLERS:
        left.pop(0)
    while left and left[-1] in {"please", "um", "uh", "then", "thanks"}:
        left.pop()
    return " ".join(left) or plain(text)


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """The word without the commonest English endings: enough to compare, not to print."""
    for ending, least in (("ings", 4), ("ing", 4), ("ies", 3), ("ed", 4), ("es", 4), ("s", 3)):
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            word = word[: -len(ending)] + ("y" if ending == "ies" else "")
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word  # noqa: PLR2004


def content(text: str) -> tuple[str, ...]:
    """The stems of the words that carry meaning, each once, in order."""
    return tuple(dict.fromkeys(stem(word) for word in words(text) if word not in STOP_WORDS))


def humanised(name: str) -> str:
    """``partySize`` and ``party_size`` as ``party size``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", clean(name, 80))
    return " ".join(re.split(r"[\W_]+", spaced.lower())).strip()


def alike(one: str, other: str) -> float:
    """How similar two short texts are by their letter triples: 0 to 1 (Dice coefficient)."""
    first, second = _triples(one[:80]), _triples(other[:80])
    if not first or not second:
        return 0.0
    return 2 * len(first & second) / (len(first) + len(second))


@lru_cache(maxsize=4096)
def _triples(text: str) -> frozenset[str]:
    padded = f"  {text.strip()} "
    return (
        frozenset(padded[i : i + 3] for i in range(len(padded) - 2))
        if text.strip()
        else frozenset()
    )


def listed(parts: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    if len(parts) < 2:  # noqa: PLR2004
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def sentence(text: str) -> str:
    """The text with a capital and a full stop, as a sentence has."""
    text = text.strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…" else f"{text.rstrip(',;:')}."


def shortened(text: str, limit: int) -> str:
    """At most about ``limit`` characters, cut after a sentence or a word."""
    text = clean(text, limit * 4)
    if len(text) <= limit:
        return text
    cut = text[:limit]
    stop = max(cut.rfind(mark) for mark in (". ", "! ", "? "))
    if stop > limit // 2:
        return cut[: stop + 1]
    return f"{cut.rsplit(' ', 1)[0].rstrip(' ,;:.')}…"


def sentences(text: str) -> list[str]:
    """The sentences and list items of a written text, without markup."""
    unmarked = re.sub(r"[#>|]+", " ", re.sub(r"[*`]+|(?<!\w)_+|_+(?!\w)", "", text))
    parts = _SENTENCE_END.split(unmarked)
    return [tidy for part in parts if (tidy := clean(part).strip(" -•"))]


def first_match(patterns: Iterable[re.Pattern[str]], text: str) -> re.Match[str] | None:
    """The first pattern that is the whole of ``text``."""
    return next((found for pattern in patterns if (found := pattern.fullmatch(text))), None)
