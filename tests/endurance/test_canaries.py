"""A canary is found in every form, or nothing that is proven with it holds."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from endurance.canaries import Canary

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: f'{{"a":"{text}"}}',
    "in JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})),
    "percent-encoded": lambda text: f"https://h/?a={quote(text, safe='')}",
    "in hexadecimal": lambda text: text.encode().hex(),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 after one": lambda text: base64.b64encode(f"x{text}y".encode()).decode(),
    "in base64 after two": lambda text: base64.urlsafe_b64encode(f"xy{text}z".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", ["", "with /+= signs & spaces"], ids=["plain", "awkward"])
def test_a_canary_is_found(form: str, text: str) -> None:
    """Wherever it is in a longer text."""
    canary = Canary("one", text)
    place = f"something before {FORMS[form](canary.text)} and after".encode()
    assert canary.is_in(place)
    assert not Canary("another").is_in(place)
