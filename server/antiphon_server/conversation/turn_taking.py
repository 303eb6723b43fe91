"""When did the user stop, and do they want the floor: judgements on words and sound."""

from __future__ import annotations

import re

from antiphon_server.conversation.manners import Manners

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # noqa: RUF001

BACK_CHANNELS = frozenset(
    {
        "ah", "aha", "aham", "alright", "cool", "hm", "hmm", "hmmm", "huh", "i", "mhm", "mm",
        "mmhm", "mmm", "nice", "oh", "ok", "okay", "right", "see", "sure", "uh", "uhhuh", "um",
        "wow", "yeah", "yep", "yes", "yup",
    }
)  # fmt: skip
"""Said to show that one listens, not to take the floor (together with "I see")."""

MOST_BACK_CHANNEL_WORDS = 3
"""\"Oh, okay, right\" still listens; a longer row of such words is a turn."""

HANGING_WORDS = frozenset(
    {
        "a", "about", "an", "and", "as", "at", "because", "but", "by", "for", "from", "his",
        "if", "in", "into", "my", "of", "on", "or", "our", "so", "than", "that", "the", "their",
        "to", "uh", "um", "with", "your",
    }
)  # fmt: skip
"""Words after which an English sentence goes on."""

_PROMISES_MORE = (",", "-", "–", "—", "...", "…", ":", ";")  # noqa: RUF001


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return _WORD.findall(text.lower())


def is_back_channel(text: str) -> bool:
    """Whether the words only show that the user listens; also true of no words at all."""
    words = words_of(text.replace("-", ""))
    return len(words) <= MOST_BACK_CHANNEL_WORDS and all(word in BACK_CHANNELS for word in words)


def hangs(text: str, *, sounds_certain: bool = False) -> bool:
    """Whether the words promise more: a trailing comma, or a last word that cannot be last.

    A comma is the recogniser's guess at how the voice sounded; where the turn model is certain
    of that (``sounds_certain``) the comma does not count, but the last word does.
    """
    words = words_of(text)
    if not words:
        return True
    if text.rstrip().endswith(_PROMISES_MORE) and not sounds_certain:
        return True
    # A recogniser that wrote a question mark heard a question, as in "What is that for?".
    return words[-1] in HANGING_WORDS and not text.rstrip().endswith("?")


def silence_needed(manners: Manners, text: str, probability: float | None) -> int:
    """Milliseconds of silence after which this turn is over.

    Sound decides, words may only lengthen the wait; where nobody judged the sound, the words
    alone choose between the two middle windows.
    """
    patience = manners.patience
    if probability is None:
        return patience.doubtful if hangs(text) else patience.hanging
    if probability > manners.done_above:
        certain = probability > manners.certain_above
        return patience.hanging if hangs(text, sounds_certain=certain) else patience.done
    return patience.open if hangs(text) else patience.doubtful
