"""Bodies become responses."""

from antiphon_protocol.rest import BuiltinToolList
from antiphon_server.rest.answers import answer, encoded, nothing


def test_an_answer_is_json_that_nobody_keeps() -> None:
    """With its status and headers of its own."""
    response = answer(BuiltinToolList(), 404, {"x": "y"})
    assert (response.status_code, response.body) == (404, b'{"builtin_tools":[]}')
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x"] == "y"


def test_json_that_is_there_already_is_sent_as_it_is() -> None:
    """As ``answer`` sends it."""
    response = encoded(b'{"a":1}', 201, {"x": "y"})
    assert (response.status_code, response.body) == (201, b'{"a":1}')
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x"] == "y"


def test_nothing_has_no_body() -> None:
    """204 (RFC 9110, section 15.3.5)."""
    response = nothing()
    assert (response.status_code, response.body) == (204, b"")
    assert "content-type" not in response.headers
