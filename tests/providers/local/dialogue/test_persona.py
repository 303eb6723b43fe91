"""Who the agent is."""

from __future__ import annotations

import pytest

from antiphon_providers.local.dialogue.persona import NATURE, persona_of


@pytest.mark.parametrize(
    ("rules", "introduction"),
    [
        ("You are Ada, the receptionist of Blue Door Hotel. We are open.",
         "I'm Ada, the receptionist of Blue Door Hotel."),
        ("You are a helpful assistant for Acme. Be brief.", "I'm a helpful assistant for Acme."),
        ("# Role\nYou are **Nova**, a support agent for Initech who is kind.",
         "I'm Nova, a support agent for Initech."),
        ("You are the voice agent of Luigi's, named Max.", "I'm Max, the voice agent of Luigi's."),
        ("Your name is Ada.", "I'm Ada."),
        ("Be nice.", f"I'm {NATURE}."),
        ("", f"I'm {NATURE}."),
        ("You are", f"I'm {NATURE}."),
    ],
)  # fmt: skip
def test_name_and_role_come_from_the_system_prompt(rules: str, introduction: str) -> None:
    """Where it gives none, the agent says what it is."""
    assert persona_of(rules).introduction == introduction
