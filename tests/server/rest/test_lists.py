"""What can be listed."""

from __future__ import annotations

import pytest

from antiphon_protocol.session_config import VOICES
from server.rest.rest_client import KEY, api, ask

EMPTY = {
    "/v1/calls": "calls",
    "/v1/phone-numbers": "phone_numbers",
}
PATHS = [*EMPTY, "/v1/voices", "/v1/builtin-tools"]


@pytest.mark.parametrize(("path", "collection"), EMPTY.items())
async def test_what_is_not_there_is_an_empty_list(path: str, collection: str) -> None:
    """In the envelope of every list (section 6)."""
    app, _ = api()
    for query in ("", "?limit=1&cursor=x", "?limit=200&status=active"):
        got = await ask(app, f"GET {path}{query}")
        assert (got.status, got.body) == (
            200,
            {collection: [], "has_more": False, "response_metadata": {"next_cursor": ""}},
        )


async def test_the_voices_are_those_a_session_takes() -> None:
    """Each with a name, and a language where the catalogue has one."""
    app, _ = api()
    voices = (await ask(app, "GET /v1/voices")).body["voices"]
    assert [voice["id"] for voice in voices] == list(VOICES)
    assert voices[1] == {"id": "anna", "name": "Anna", "language": "en-GB"}
    assert {"id": "iris", "name": "Iris"} in voices


async def test_there_are_no_builtin_tools() -> None:
    """An empty list, not an error."""
    app, _ = api()
    assert (await ask(app, "GET /v1/builtin-tools")).body == {"builtin_tools": []}


@pytest.mark.parametrize("path", PATHS)
async def test_a_list_needs_a_key(path: str) -> None:
    """In the header; a token or a query is not enough."""
    app, keys = api()
    token = keys.mint(await keys.owner(KEY), 60, 60)
    for authorization, code in (
        (None, "missing_authorization"),
        ("", "missing_authorization"),
        ("Bearer", "missing_authorization"),
        ("wrong", "unauthorized"),
        (token, "unauthorized"),
    ):
        got = await ask(app, f"GET {path}?token={KEY}", authorization=authorization)
        assert (got.status, got.body["code"]) == (401, code)


@pytest.mark.parametrize("limit", ["0", "201", "x", "", "1.5"])
async def test_a_page_has_a_length(limit: str) -> None:
    """From 1 to 200."""
    app, _ = api()
    got = await ask(app, f"GET /v1/calls?limit={limit}")
    assert (got.status, got.body["code"], got.body["param"]) == (422, "validation_error", "limit")
