"""The REST API as an OpenAPI document."""

from __future__ import annotations

import json

from rest_model import document

PATH = "docs/reference/rest.openapi.json"


def outputs() -> dict[str, str]:
    """The document."""
    return {PATH: json.dumps(document(), indent=2, ensure_ascii=False) + "\n"}
