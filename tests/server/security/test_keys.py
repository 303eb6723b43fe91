"""Who may open a session."""

import pytest

from antiphon_protocol.errors import Unauthorized
from antiphon_server.security.keys import Keys, credential


@pytest.mark.parametrize(
    ("header", "token", "expected"),
    [
        ("key-1", None, "key-1"),
        ("Bearer key-1", None, "key-1"),
        ("bearer key-1", None, "key-1"),
        ("BEARER   key-1  ", None, "key-1"),
        (None, "key-1", "key-1"),
        ("key-1", "key-2", "key-1"),
        ("Bearer ", "key-2", "key-2"),
        ("", "", None),
        (None, None, None),
        ("Bearer Bearer key-1", None, "Bearer key-1"),
    ],
)
def test_a_credential_is_found_in_each_place(
    header: str | None, token: str | None, expected: str | None
) -> None:
    """Header with or without ``Bearer``, else ``?token=`` (protocol section 1.2)."""
    headers = {} if header is None else {"authorization": header}
    query = {} if token is None else {"token": token}
    assert credential(headers, query) == expected


def test_without_keys_everybody_is_let_in() -> None:
    """Development mode."""
    for presented in (None, "", "anything"):
        Keys(()).admit(presented)


@pytest.mark.parametrize("presented", ["key-1", "key-2", "schlüssel"])
def test_each_key_is_let_in(presented: str) -> None:
    """Several may be valid at once, so that one can be replaced."""
    Keys(("key-1", "key-2", "schlüssel")).admit(presented)


@pytest.mark.parametrize(
    "presented", [None, "", "key", "key-10", "KEY-1", " key-1", "key-1\x00", "ключ", "k" * 100_000]
)
def test_anything_else_is_refused_alike(presented: str | None) -> None:
    """Missing, wrong or nearly right: the same words (section 1.3)."""
    with pytest.raises(Unauthorized) as refused:
        Keys(("key-1", "key-2")).admit(presented)
    assert refused.value.message == "Authentication failed"
    assert refused.value.param is None
