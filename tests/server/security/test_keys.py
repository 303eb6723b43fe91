"""Who may open a session."""

import pytest

from antiphon_protocol.errors import Unauthorized
from antiphon_server.security.keys import Admission, Keys, credential
from antiphon_server.security.tokens import Tokens


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


def _with_token(*keys: str, session_seconds: int = 60, one_time: bool = False) -> tuple[Keys, str]:
    known = Keys(keys, Tokens(one_time=one_time))
    account = known.account(keys[0] if keys else None)
    return known, known.mint(account, session_seconds, 60)


def test_a_key_allows_any_session() -> None:
    """And has an account, which is not the key."""
    keys = Keys(("key-1", "key-2"))
    one, two = keys.admit("key-1"), keys.admit("key-2")
    assert one.session_seconds is None
    assert one.account == keys.account("key-1") != two.account
    assert "key-1" not in one.account


def test_a_token_allows_what_it_was_minted_for() -> None:
    """In the name of the key that minted it."""
    keys, token = _with_token("key-2", "key-1")
    assert keys.admit(token) == Admission(keys.account("key-2"), 60)


def test_a_token_is_no_key() -> None:
    """Or it could prolong itself by minting another."""
    keys, token = _with_token("key-1")
    with pytest.raises(Unauthorized):
        keys.account(token)


def test_a_one_time_token_is_used_up_by_spending_only() -> None:
    """Admitting is a question; the second session is refused."""
    keys, token = _with_token("key-1", one_time=True)
    assert keys.admit(token) == keys.admit(token)
    keys.spend(token)
    keys.spend("key-1")
    keys.spend(None)
    with pytest.raises(Unauthorized):
        keys.admit(token)
    keys.admit("key-1")


def test_a_token_of_another_process_is_refused() -> None:
    """Tokens are kept in memory, each process its own."""
    _, token = _with_token("key-1")
    with pytest.raises(Unauthorized):
        Keys(("key-1",)).admit(token)


def test_without_keys_a_token_still_counts() -> None:
    """It limits the session; everybody else is let in without a limit."""
    keys, token = _with_token()
    assert keys.is_open
    assert keys.admit(token).session_seconds == 60
    assert keys.admit("anything") == keys.admit(None) == Admission(keys.account("x"))
