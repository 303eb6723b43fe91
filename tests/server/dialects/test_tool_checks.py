"""What is wrong with a tool, in the wire's words."""

from __future__ import annotations

from antiphon_server.dialects.tool_checks import keypad_only


def test_a_keypad_is_a_telephones() -> None:
    """The words of section 3.3, and the path of the field."""
    error = keypad_only("pay", "pin", "tools[2]")
    assert error.message == (
        "tool 'pay' collects 'pin' from the phone keypad (DTMF), which only exists on "
        "telephony calls"
    )
    assert error.param == "tools[2].dtmf_collected_arguments"
