"""Bodies become responses."""

from antiphon_protocol.rest import BuiltinToolList
from antiphon_server.rest.answers import answer


def test_an_answer_is_json_that_nobody_keeps() -> None:
    """With its status and headers of its own."""
    response = answer(BuiltinToolList(), 404, {"x": "y"})
    assert (response.status_code, response.body) == (404, b'{"builtin_tools":[]}')
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x"] == "y"
