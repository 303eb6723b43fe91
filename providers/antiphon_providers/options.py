"""What options that come as text have in common."""

from __future__ import annotations

from typing import Any

import msgspec


def json_object(text: str) -> dict[str, Any]:
    """The JSON object that an option holds. Raises ``ValueError``, as ``__post_init__`` should."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError) as wrong:
        raise ValueError(f"'{text[:100]}' is no JSON object: {wrong}") from wrong
