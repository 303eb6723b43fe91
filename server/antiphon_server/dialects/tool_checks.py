"""What is wrong with a tool, told alike wherever tools are declared."""

from __future__ import annotations

from typing import Any

from antiphon_protocol.errors import InvalidValue


def keypad_only(name: str, argument: Any, path: str) -> InvalidValue:
    """A tool needs a telephone's keypad, on a WebSocket (voice agent protocol, section 3.3)."""
    return InvalidValue(
        f"tool '{name}' collects '{argument}' from the phone keypad (DTMF), which only exists on "
        "telephony calls",
        f"{path}.dtmf_collected_arguments",
    )
