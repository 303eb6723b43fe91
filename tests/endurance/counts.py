"""How much is done: little in every run of the tests, all of it by ``scripts/endure``."""

from __future__ import annotations

import os

VARIABLE = "ENDURE"
SIZES = ("small", "ci", "full")


def size() -> str:
    """How much the environment asks for. Raises ``ValueError`` for what it cannot be."""
    asked = os.environ.get(VARIABLE, "small")
    if asked not in SIZES:
        raise ValueError(f"{VARIABLE} is one of {', '.join(SIZES)}, not '{asked}'")
    return asked


def count(small: int, ci: int, full: int) -> int:
    """One of three numbers, by what the environment asks for."""
    return {"small": small, "ci": ci, "full": full}[size()]


def is_timed() -> bool:
    """Whether times are judged: not beside all other tests, where they say nothing."""
    return size() != "small"
