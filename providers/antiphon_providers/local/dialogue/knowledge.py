"""Questions answered with the sentence of the system prompt that answers them best.

Sentences are compared with the question by the words they share, rarer words counting more
(inverse document frequency, as search engines weigh them), after each word has been joined by
what callers say instead of it: ``open`` also finds ``hours``.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

from antiphon_providers.local.dialogue.conversation import Answer, Conversation
from antiphon_providers.local.dialogue.persona import is_persona
from antiphon_providers.local.dialogue.words import (
    content,
    plain,
    sentence,
    sentences,
    shortened,
    stem,
    words,
)

MOST_SENTENCES = 200
ENOUGH = 0.45
"""Share of a question's weight that a sentence must answer."""

_RELATED = tuple(
    frozenset(stem(word) for word in group.split())
    for group in (
        "open opening close closing closed hours hour",
        "cost price pay fee rate expensive charge euro euros dollar dollars much",
        "address located location find street directions where",
        "phone telephone number call",
        "pet pets dog dogs cat cats animal animals",
        "park parking car garage",
        "wifi internet wireless",
        "room rooms",
        "kid kids child children baby",
        "breakfast",
        "owner owns boss manager runs",
        "vegan vegetarian meat",
        "refund return returns money",
        "deliver delivery shipping ship",
        "check-in checkin arrive arrival",
        "checkout leave departure",
    )
)
_DIRECTIVE = re.compile(
    r"(?:please |also |but |and |then |first |next |finally )*(?:always|never|do not|be|keep"
    r"|answer|ask|speak|use|avoid|respond"
    r"|reply|greet|help|make sure|ensure|remember|start|begin|end|if|when the|when a|when they"
    r"|only|try|act|"
    r"pretend|offer|confirm|say|tell|call|before|after|once|you (?:must|should|are|can|may|will"
    r"|have"
    r" to|need|speak|talk|never|always|answer|help|take)|your (?:job|task|role|goal|name|tone)|let|"
    r"you're|under no|stay|do|write|talk|collect|transfer|rules?|style|instructions?|tools?)\b"
)
_QUESTION = re.compile(
    r"(?:and |so |but )?(?:what|when|where|who|why|how|which|is|are|do|does|did|can|could|may|will|"
    r"would|have|has|tell|give|explain|i (?:want|would like|need) to know|i am (?:looking"
    r"|wondering)"
    r"|any|until)\b"
)
_WANTED = tuple(
    (re.compile(rf"\b(?:{asks})\b"), re.compile(has))
    for asks, has in (
        (r"when|what time|what hours|until|how late|how early", r"\d|noon|midnight|daily|day\b"),
        (r"how much|how expensive|price|cost", r"\d|free|euro|dollar|pound|cent|included|[$€£]"),
        (r"where|address", r"\d|street|road|avenue|square|floor|next to|near"),
        (r"how many", r"\d"),
    )
)
"""What the answer to a question word should have in it."""
_CALLER = r"\bthe (?:caller|user|customer)"
_PERSON = (
    (r"\byou are\b", "we are"),
    (r"\byou have\b", "we have"),
    (r"\byou (offer|serve|sell|accept|deliver|ship)\b", r"we \1"),
    (r"\byour\b", "our"),
    (rf"{_CALLER}s?'s?(?!\w)", "your"),
    (rf"{_CALLER} is\b", "you are"),
    (rf"{_CALLER} has\b", "you have"),
    (rf"{_CALLER}\b", "you"),
)


def facts(conversation: Conversation) -> tuple[str, ...]:
    """The sentences that tell something; those that tell the agent how to behave are left out."""
    rules = _facts_of(conversation.rules)
    return (*rules, *(fact for note in conversation.notes for fact in _facts_of(note)))[
        :MOST_SENTENCES
    ]


@lru_cache(maxsize=64)
def _facts_of(text: str) -> tuple[str, ...]:
    return tuple(
        one for one in sentences(text)
        if len(words(one)) > 1 and not _DIRECTIVE.match(plain(one)) and not is_persona(one)
    )  # fmt: skip


class _Index:
    """The facts by their words."""

    def __init__(self, told: Sequence[str]) -> None:
        self.told = told
        self.stems = [_expanded(content(one)) for one in told]
        counts = Counter(word for stems in self.stems for word in stems)
        size = len(told) + 1
        self._rarity = {word: math.log(1 + size / count) for word, count in counts.items()}
        self._unknown = math.log(1 + size)

    def best(self, question: str) -> tuple[float, str]:
        """How much of the question the best sentence answers (0 to 1), and the sentence."""
        asked = _content_of(question)
        whole = sum(self._rarity.get(word, self._unknown) for word in asked)
        best = (0.0, "")
        for one, stems in zip(self.told, self.stems, strict=True):
            score = sum(self._rarity.get(w, self._unknown) for w in asked if w in stems)
            score = score / whole if whole else 0.0
            if score:
                score += _fitness(question, one)
            if score > best[0]:
                best = (score, one)
        return best


@lru_cache(maxsize=512)
def _expanded(stems: tuple[str, ...]) -> frozenset[str]:
    related = (group for group in _RELATED for word in stems if word in group)
    return frozenset(stems).union(*related)


def _content_of(question: str) -> tuple[str, ...]:
    asked = content(question)
    if asked:
        return asked
    told = plain(question)
    return (stem("address"),) if "where" in told else (stem("price"),) if "how much" in told else ()


def _fitness(question: str, one: str) -> float:
    """A little more where the sentence has what the question word asks for."""
    told, written = plain(question), one.lower()
    return sum(0.15 for asks, has in _WANTED if asks.search(told) and has.search(written))


def coverage(conversation: Conversation) -> Callable[[str], float]:
    """How much of a question the system prompt answers, 0 to 1; nothing of other sentences."""
    index = _Index(facts(conversation))
    return lambda text: min(1.0, index.best(text)[0]) if _QUESTION.match(plain(text)) else 0.0


def informed(conversation: Conversation) -> Answer | None:
    """Answers from the system prompt and later system messages."""
    question = conversation.utterance
    if not question or not (_QUESTION.match(plain(question)) or len(words(question)) <= 4):  # noqa: PLR2004
        return None
    found = about(conversation, question)
    return Answer(found) if found else None


def about(conversation: Conversation, topic: str) -> str | None:
    """The fact that says most about the topic, as the agent would say it."""
    score, one = _Index(facts(conversation)).best(topic)
    return as_spoken(one) if score >= ENOUGH else None


def as_spoken(fact: str) -> str:
    """A line of a prompt as a sentence about ``us`` and ``you``, without headings' colons."""
    told = re.sub(r"^([A-Z][\w ]{1,30}):\s+", r"\1, ", fact)
    for written, spoken in _PERSON:
        told = re.sub(written, spoken, told, flags=re.IGNORECASE)
    return sentence(shortened(told, 280))
