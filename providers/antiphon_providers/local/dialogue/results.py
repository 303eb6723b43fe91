"""Results of tools as sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from antiphon_providers.interfaces import Message
from antiphon_providers.local.dialogue.conversation import Answer, Conversation
from antiphon_providers.local.dialogue.dates import MONTHS
from antiphon_providers.local.dialogue.spoken_numbers import ordinal
from antiphon_providers.local.dialogue.words import (
    clean,
    humanised,
    listed,
    plain,
    sentence,
    sentences,
    shortened,
    words,
)

LONGEST_RESULT = 8_192
"""Characters of one result that are read."""
LONGEST_SPEECH = 420
"""Characters said about one result: half a minute."""
_MOST_ITEMS = 5
_DEEPEST = 3
_SPOKEN_KEYS = (
    "message",
    "answer",
    "summary",
    "text",
    "speech",
    "result",
    "response",
    "say",
    "output",
)
_ERROR_KEYS = ("error", "errors", "error_message", "detail", "reason", "message")
_SUCCESS_KEYS = frozenset({"ok", "success", "succeeded", "done", "status"})
_SUCCESS_WORDS = frozenset({"ok", "okay", "success", "succeeded", "done", "completed", "200"})
_NAMING_KEYS = ("name", "title", "label", "id")


def reported(conversation: Conversation) -> Answer | None:
    """Says what the tools answered, all of it together."""
    if not conversation.results:
        return None
    return Answer(spoken_results(conversation.results))


def spoken_results(results: Sequence[Message]) -> str:
    """The results as speech, failures with their reasons."""
    told = [
        _failure(result.content) if result.is_error else spoken_result(result.content)
        for result in results[:_MOST_ITEMS]
    ]
    return " ".join(dict.fromkeys(told))


def spoken_result(content: str) -> str:
    """One result: plain text as it is, JSON as a sentence."""
    value = _parsed(content)
    if isinstance(value, str):
        return _prose(value) or "That's done."
    if isinstance(value, dict) and _failed(value):
        return _failure(content)
    if isinstance(value, dict):
        return _prose(_object(value)) or "That's done."
    if isinstance(value, bool) or value is None:
        return "That's done." if value is not False else "No, I'm afraid not."
    if isinstance(value, list):
        return _prose(_items(value, 0)) or "There is nothing there."
    return _prose(f"The answer is {value}")


def _parsed(content: str) -> Any:
    """The JSON value of the content; the text itself where it is none or is cut."""
    text = content[:LONGEST_RESULT].strip()
    try:
        return json.loads(text) if text else ""
    except (ValueError, RecursionError):
        return text


def _prose(text: str) -> str:
    """Text without markup, of a length that can be listened to; empty where there is no word."""
    parts = sentences(text[:LONGEST_RESULT])
    spoken = " ".join(sentence(_voiced(part)) for part in parts if words(part))
    return shortened(spoken, LONGEST_SPEECH)


def _voiced(text: str) -> str:
    text = re.sub(r"https?://\S+", "a link", text)
    return re.sub(r"\b(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d)\S*)?", _spoken_day, text)


def _spoken_day(match: re.Match[str]) -> str:
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return match[0]
    at = f" at {match[4]}" if match[4] else ""
    return f"{MONTHS[day.month - 1].title()} {ordinal(day.day)}{at}"


def _failed(value: Mapping[str, Any]) -> bool:
    return (
        bool(value.get("error"))
        or value.get("success") is False
        or value.get("ok") is False
        or str(value.get("status")).lower() in {"error", "failed", "failure"}
    )


def _failure(content: str) -> str:
    value = _parsed(content)
    reason = ""
    if isinstance(value, dict):
        told = next((value[key] for key in _ERROR_KEYS if value.get(key)), "")
        if isinstance(told, dict):
            told = next((told[key] for key in _ERROR_KEYS if told.get(key)), _object(told))
        reason = told if isinstance(told, str) else _phrase(told, 1)
    elif isinstance(value, str):
        reason = value
    reason = shortened(_voiced(clean(reason)), 160).rstrip(".")
    if not reason or plain(reason) in {"error", "failed", "true"}:
        return "I'm sorry, that didn't work. Would you like me to try something else?"
    return f"I'm sorry, that didn't work: {humanised(reason) if '_' in reason else reason}."


def _object(value: Mapping[str, Any]) -> str:
    """An object: the text it was given to be read, else its members."""
    for key in _SPOKEN_KEYS:
        told = value.get(key)
        if isinstance(told, str) and told.strip() and " " in told.strip():
            return told
    members = {key: part for key, part in value.items() if not _is_mere_success(key, part)}
    parts = ["That's done."] if len(members) < len(value) else []
    facts = {key: part for key, part in members.items() if isinstance(part, bool)}
    parts += [sentence(_member(humanised(str(key)), part, 0)) for key, part in facts.items()]
    parts.append(sentence(_members({k: v for k, v in members.items() if k not in facts}, 0)))
    return " ".join(parts).strip()


def _is_mere_success(key: str, part: Any) -> bool:
    return key.lower() in _SUCCESS_KEYS and (part is True or str(part).lower() in _SUCCESS_WORDS)


def _members(value: Mapping[str, Any], depth: int) -> str:
    """``temperature is 21 and wind is low``."""
    parts = [
        _member(humanised(str(key)) or "it", part, depth)
        for key, part in list(value.items())[: 2 * _MOST_ITEMS]
        if part is not None and part not in ("", [], {})
    ]
    return f"{'the ' if depth == 0 and parts else ''}{listed(parts)}"


def _member(name: str, part: Any, depth: int) -> str:
    if isinstance(part, bool):
        return f"{name}: {'yes' if part else 'no'}"
    if isinstance(part, dict):
        return f"{name}: {_phrase(part, depth + 1)}"
    several = (isinstance(part, list) and len(part) > 1) or re.search(r"[^su]s$", name)
    verb = "are" if several else "is"
    return f"{name} {verb} {_phrase(part, depth + 1)}"


def _phrase(value: Any, depth: int) -> str:
    """A value inside a sentence; what is nested too deep is counted instead."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return _members(value, depth) if depth < _DEEPEST else "some details"
    if isinstance(value, list):
        return _items(value, depth) if depth < _DEEPEST else f"{len(value)} things"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return shortened(str(value)[:LONGEST_SPEECH], 160).rstrip(".")


def _items(value: Sequence[Any], depth: int) -> str:
    """The first items, each by its name and what else is short, and how many more there are."""
    most = _MOST_ITEMS if not any(isinstance(item, dict) for item in value) else 3
    parts = [_item(item, depth + 1) for item in value[:most]]
    if len(value) > most:
        parts.append(f"{len(value) - most} more")
    joint = "; " if any("," in part for part in parts) else ", "
    return listed(parts) if joint == ", " else joint.join(parts)


def _item(item: Any, depth: int) -> str:
    if not isinstance(item, dict):
        return _phrase(item, depth)
    key = next((key for key in _NAMING_KEYS if isinstance(item.get(key), (str, int))), None)
    if key is None:
        return _members(item, depth)
    rest = {k: v for k, v in item.items() if k != key and not isinstance(v, (dict, list))}
    told = _members(dict(list(rest.items())[:3]), depth)
    return f"{item[key]}, {told}" if told else f"{item[key]}"
