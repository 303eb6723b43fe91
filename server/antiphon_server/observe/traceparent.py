"""The header ``traceparent``: which trace a request belongs to.

Source: W3C Trace Context, Recommendation of 23 November 2021, section 3.2 (looked up 2026-11-22).
"""

from __future__ import annotations

import re

from msgspec import Struct

HEADER = "traceparent"

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_SAMPLED = 0x01


class TraceParent(Struct, frozen=True):
    """A span of somebody's trace. The ids are never 0."""

    trace_id: int
    """128 bits."""
    span_id: int
    """64 bits."""
    sampled: bool
    """Whether its spans are kept."""

    def __str__(self) -> str:
        """As the header's value."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{'01' if self.sampled else '00'}"


def parse(value: str | None) -> TraceParent | None:
    """What the header says; None where there is none, or one that cannot be.

    Of a later version the first four fields count (section 3.2.3).
    """
    found = _FORM.fullmatch((value or "").strip())
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    parent = TraceParent(int(trace_id, 16), int(span_id, 16), bool(int(flags, 16) & _SAMPLED))
    return parent if parent.trace_id and parent.span_id else None
