"""What is read as a URL: one meaning, or none."""

import string

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.security.outbound_errors import UnsafeUrl
from antiphon_server.security.urls import MOST_CHARACTERS, WebUrl, origin, read

READ = {
    "https://tools.example/a": ("https", "tools.example", 443, False, b"/a"),
    "HTTPS://Tools.Example": ("https", "tools.example", 443, False, b"/"),
    "https://tools.example:8443/a?b=c&d": ("https", "tools.example", 8443, False, b"/a?b=c&d"),
    "https://tools.example?b": ("https", "tools.example", 443, False, b"/?b"),
    "https://tools.example/a@b:c": ("https", "tools.example", 443, False, b"/a@b:c"),
    "https://tools.example/größe": ("https", "tools.example", 443, False, b"/gr%C3%B6%C3%9Fe"),
    "https://tools.example/%2e%2e": ("https", "tools.example", 443, False, b"/%2e%2e"),
    "https://bücher.example/": ("https", "xn--bcher-kva.example", 443, False, b"/"),
    "https://faß.example/": ("https", "xn--fa-hia.example", 443, False, b"/"),
    "https://例え.example/": ("https", "xn--r8jz45g.example", 443, False, b"/"),
    "https://a_b.example/": ("https", "a_b.example", 443, False, b"/"),
    "http://127.0.0.1:8000/v1": ("http", "127.0.0.1", 8000, True, b"/v1"),
    "http://[::1]:8000/v1": ("http", "::1", 8000, True, b"/v1"),
    "http://[0:0:0::1]/v1": ("http", "::1", 80, True, b"/v1"),
    "http://0x7f.1/": ("http", "0x7f.1", 80, True, b"/"),
    "http://2130706433/": ("http", "2130706433", 80, True, b"/"),
    "http://localhost:1/": ("http", "localhost", 1, False, b"/"),
    "http://1.2.3.4.5./": ("http", "1.2.3.4.5.", 80, True, b"/"),
    "http://a.0x/": ("http", "a.0x", 80, True, b"/"),
}

WRONG = [
    *("", "tools.example", "//tools.example/", "https:", "https://", "https:///a", "https:/a/b"),
    *(
        "ftp://tools.example/",
        "ws://tools.example/",
        "file:///etc/passwd",
        "data:,a",
        "about:blank",
    ),
    *(
        "javascript:alert(1)",
        "gopher://tools.example/",
        "unix:///run/a.sock",
        " https://a.example/",
    ),
    *(
        "https://a.example/ b",
        "https://a.example/\t",
        "https://a.example\n/",
        "https://a.example\0/",
    ),
    *("https://a.example/\u2028", "https://a.example/\u00a0", "https://a.ex\u200bample/"),
    *("https://a.example/\ud800", "https://a.example\\@b.example/", "https://a.example/\\b"),
    *("https://user@a.example/", "https://user:word@a.example/", "https://@a.example/"),
    *("https://a.example#@b.example/", "https://a.example/#b", "https://a.example:443@b.example/"),
    *(
        "https://a.example:/",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:x/",
    ),
    *("https://a.example:4٤3/", "https://a.example:+443/", "https://a.example:443:443/"),
    *("https://a%2eexample/", "https://%61.example/", "https://a.example%00.b.example/"),
    *("https://a.example./", "https://.a.example/", "https://a..example/", "https://-a.example/"),
    *(
        "https://a-.example/",
        "https://a!b.example/",
        "https://a;b.example/",
        "https://a,b.example/",
    ),
    *("https://$(id).example/", "https://a'b.example/", "https://a*.example/", "https://*/"),
    *(
        "https://[::1/",
        "https://::1/",
        "https://[::1]x/",
        "https://[fe80::1%25eth0]/",
        "https://[]/",
    ),
    *("https://[::g]/", "https://[v1.a]/", "https://[1.2.3.4]/", "https://256.256.256.256/"),
    *("https://" + "a" * 64 + ".example/", "https://" + "a." * 127 + "bcd/"),
    *("https://①②⑦.⓪.⓪.①/", "https://\uff11\uff12\uff17.0.0.1/", "https://ex\u00adample.example/"),
    *("https://a\uff0eexample\uff0fb/", "https://\uff41.example/", "https://xn--a\u0308.example/"),
]


@pytest.mark.parametrize("url", READ)
def test_a_plain_url_is_read(url: str) -> None:
    """Its name in lower-case ASCII, its port, and what will be asked for."""
    assert read(url) == WebUrl(*READ[url])


@pytest.mark.parametrize("url", WRONG)
def test_what_could_be_understood_in_two_ways_is_not_read(url: str) -> None:
    """The checker and the connector cannot disagree about what nobody reads."""
    with pytest.raises(UnsafeUrl):
        read(url)


def test_dots_that_are_not_full_stops_separate_labels_and_numbers() -> None:
    """So a number written with them is an address, as it is for resolvers."""
    assert read("https://127。0。0。1/").is_address


def test_a_url_may_be_2048_characters_long() -> None:
    """And no longer (protocol, section 3.3), unless more is said."""
    url = "https://a.example/".ljust(MOST_CHARACTERS, "x")
    assert len(read(url).target) == MOST_CHARACTERS - len("https://a.example")
    with pytest.raises(UnsafeUrl, match="longer than 2048"):
        read(url + "x")
    assert read(url + "x", MOST_CHARACTERS + 1)


@given(st.text(alphabet=string.printable + "①。\uff0e\uff0f\uff20\uff1aé\u200d", max_size=60))
def test_whatever_is_written_has_one_meaning_or_none(rest: str) -> None:
    """What is read is what the library that connects reads, and reading it again is the same."""
    try:
        url = read(f"https://{rest}")
    except UnsafeUrl:
        return
    theirs = httpx.URL(f"https://{rest}")
    assert (theirs.raw_host.decode().lower(), theirs.port or 443) == (url.host, url.port)
    assert not theirs.userinfo
    assert read(f"https://{url.host}:{url.port}{url.target.decode()}") == url


def test_what_may_be_logged_of_a_url_has_no_secret() -> None:
    """Neither user nor password, path, query or fragment; also of what is no URL."""
    assert origin("https://u:p@a.example:8443/hook/s3cr3t?key=s3cr3t#s") == "https://a.example:8443"
    assert origin("https://a.example?s3cr3t") == "https://a.example"
    assert origin("s3cr3t") == "s3cr3t://"
    assert "s3cr3t" not in repr(read("https://a.example/s3cr3t?s3cr3t"))
