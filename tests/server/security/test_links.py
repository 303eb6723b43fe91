"""Links: good for one thing, for an hour, and for nothing else."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.security.links import LinkExpired, LinkInvalid, Links, check_base

NOW = 1_790_000_000.25
PEPPER = b"p" * 32


def _parts(path: str) -> tuple[str, str, str, str]:
    """Session, kind, expiry and signature of a link."""
    split = urlsplit(path)
    query = parse_qs(split.query, strict_parsing=True)
    _, version, what, session_id, kind = split.path.split("/")
    assert (version, what) == ("v1", "artifacts")
    return session_id, kind, query["expires"][0], query["signature"][0]


def test_a_link_is_good_for_an_hour() -> None:
    """From when it was made; every process with the same secret keys honours it."""
    link = _parts(Links(PEPPER).path("sess_1", "audio", NOW))
    for later in (0.0, 3_599.0):
        Links(PEPPER).check(*link, NOW + later)
    for later in (3_600.0, 1e9):
        with pytest.raises(LinkExpired):
            Links(PEPPER).check(*link, NOW + later)


def test_another_key_makes_other_links() -> None:
    """Nor is the pepper itself the key: what else is signed with it is no link."""
    link = _parts(Links(PEPPER).path("sess_1", "audio", NOW))
    with pytest.raises(LinkInvalid):
        Links(b"q" * 32).check(*link, NOW)


def test_no_byte_of_a_link_can_be_changed() -> None:
    """Each character of each part, to each of several others, and left out, and doubled."""
    links = Links(PEPPER)
    link = _parts(links.path("sess_1", "audio", NOW))
    tried = 0
    for index, part in enumerate(link):
        for place, old in enumerate(part):
            for new in {"0", "9", "a", "A", "_", "/", " ", "é", "\0", "", old * 2} - {old}:
                changed = list(link)
                changed[index] = part[:place] + new + part[place + 1 :]
                with pytest.raises(LinkInvalid):
                    links.check(changed[0], changed[1], changed[2], changed[3], NOW)
                tried += 1
    assert tried > 900


def test_the_parts_of_a_link_do_not_run_together() -> None:
    """A signature of ``a`` and ``bc`` is none of ``ab`` and ``c``."""
    links = Links(PEPPER)
    session_id, kind, expires, signature = _parts(links.path("sess_1", "audio", NOW))
    for moved in (
        (session_id + kind[0], kind[1:], expires),
        (session_id, kind + expires[0], expires[1:]),
        (session_id[:-1], session_id[-1] + kind, expires),
    ):
        with pytest.raises(LinkInvalid):
            links.check(*moved, signature, NOW)


@given(st.tuples(st.text(), st.text(), st.text(), st.text()))
def test_what_was_not_signed_here_is_no_link(parts: tuple[str, str, str, str]) -> None:
    """Whatever the text: it is refused, and nothing else happens."""
    with pytest.raises(LinkInvalid):
        Links(PEPPER).check(*parts, NOW)


def test_a_lone_surrogate_is_refused_like_any_other_text() -> None:
    """It cannot be written in UTF-8, but it can come out of a URL."""
    with pytest.raises(LinkInvalid):
        Links(PEPPER).check("\ud800", "audio", "\udfff", "\ud800", NOW)


@pytest.mark.parametrize(
    "url", ["", "http://10.0.0.1:8400", "https://a.example/voice/", "HTTPS://x"]
)
def test_a_link_may_begin_with_an_address_of_the_web(url: str) -> None:
    """Or with nothing that was set."""
    check_base(url)


@pytest.mark.parametrize(
    "url",
    ["voice.example.com", "ftp://a", "https://", "https://u:canary@a", "http://a?b", "http://a b"],
)
def test_what_no_link_can_begin_with_is_refused(url: str) -> None:
    """At the start, and not by whoever follows the link; a password in it is not repeated."""
    with pytest.raises(ValueError, match="https://voice") as refused:
        check_base(url)
    assert "canary" not in str(refused.value)
