"""The OpenAPI file."""

from __future__ import annotations

import json

from generators.openapi import PATH, outputs
from rest_model import document


def test_the_file_is_the_document() -> None:
    """Readable, and ending with a line feed."""
    text = outputs()[PATH]
    assert json.loads(text) == json.loads(json.dumps(document()))
    assert text.endswith("}\n")
    assert text.count("\n") > 1_000
