"""What a setting may be, said in words to whoever set it to something else."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_LIMITS = {"ge": "at least", "le": "at most", "gt": "more than", "lt": "less than"}


def described(kind: Any) -> str:
    """The values of an annotated type: `a whole number, at least 1`."""
    plain, *notes = get_args(kind)
    if get_origin(plain) is Literal:
        return "one of " + ", ".join(map(str, get_args(plain)))
    limits = [
        f"{words} {getattr(note, name)}"
        for note in notes
        for name, words in _LIMITS.items()
        if getattr(note, name, None) is not None
    ]
    described = _KINDS.get(plain, "a list of texts")
    return f"{described}, {' and '.join(limits)}" if limits else described
