"""Files answered from memory: compressed, revalidated, and nothing that was not read."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from antiphon_server.console.files import Content, File, media_type, read, takes_gzip

TEXT = b"words " * 200


def _request(method: str = "GET", **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Request({"type": "http", "method": method, "headers": pairs})


@pytest.fixture
def file() -> File:
    """A text, with its compressed form."""
    return File(Content(TEXT, gzip.compress(TEXT)), {"content-type": "text/plain"})


def test_who_takes_gzip_gets_it(file: File) -> None:
    """It says so, how long it is, and that the answer depends on what is taken."""
    answer = file.answer(_request(accept_encoding="br, gzip"))
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(bytes(answer.body)) == TEXT
    assert int(answer.headers["content-length"]) == len(answer.body) < len(TEXT)
    assert answer.headers["vary"] == "accept-encoding"


def test_who_does_not_take_gzip_gets_the_file(file: File) -> None:
    """Under another tag: the bytes are others."""
    answer = file.answer(_request())
    assert answer.body == TEXT
    assert "content-encoding" not in answer.headers
    packed = file.answer(_request(accept_encoding="gzip"))
    assert answer.headers["etag"] != packed.headers["etag"]


def test_what_gains_nothing_is_not_compressed() -> None:
    """Then nothing varies either, unless it was said before."""
    small = File(Content(b"x"), {"vary": "accept"})
    answer = small.answer(_request(accept_encoding="gzip"))
    assert (answer.body, answer.headers["vary"]) == (b"x", "accept")


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_who_has_it_already_is_told_so(file: File, form: str) -> None:
    """304, with the tag and without the content, in every form a client may ask in."""
    tag = file.answer(_request()).headers["etag"]
    answer = file.answer(_request(if_none_match=form.format(tag)))
    assert (answer.status_code, answer.body) == (304, b"")
    assert answer.headers["etag"] == tag
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("given", ['"other"', "", "W/", '"' * 9, ",,,"])
def test_who_has_another_one_gets_this(file: File, given: str) -> None:
    """Also who sends what is no tag."""
    assert file.answer(_request(if_none_match=given)).status_code == 200


def test_a_page_that_stands_for_an_error_is_always_sent(file: File) -> None:
    """A client must not take 304 for its own copy of another answer."""
    tag = file.answer(_request()).headers["etag"]
    assert file.answer(_request(if_none_match=tag), 404).status_code == 404


def test_head_has_the_headers_and_no_body(file: File) -> None:
    """All of them."""
    head: Response = file.answer(_request("HEAD"))
    assert head.body == b""
    assert head.headers == file.answer(_request()).headers


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True), ("GZIP;q=0.5", True), ("br, gzip", True), ("*", True),
        ("gzip;q=1.000", True),
        ("", False), ("br", False), ("gzip;q=0", False), ("gzip; q=0.000", False),
        ("*, gzip;q=0", False), ("*;q=0", False), ("xgzip", False), (";;;,", False),
    ],
)  # fmt: skip
def test_what_a_client_takes_is_read_as_it_is_written(accepted: str, *, takes: bool) -> None:
    """A weight of nought is a refusal (RFC 9110, section 12.4.2)."""
    assert takes_gzip(Headers({"accept-encoding": accepted})) is takes


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    """By path, each file with its compressed form; kinds that nobody asks for stay unread."""
    (tmp_path / "assets/worklets").mkdir(parents=True)
    (tmp_path / "page.html").write_bytes(b"page")
    (tmp_path / "page.html.gz").write_bytes(b"packed")
    (tmp_path / "assets/worklets/one.js").write_bytes(b"code")
    (tmp_path / "assets/notes.md").write_bytes(b"notes")
    assert read(tmp_path) == {
        "assets/worklets/one.js": Content(b"code"),
        "page.html": Content(b"page", b"packed"),
    }


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    """The pages may not have been built."""
    assert read(tmp_path / "built") == {}


def test_a_kind_of_file_has_its_type() -> None:
    """Browsers run no script of another one, told not to guess."""
    assert media_type("a/b.js") == "text/javascript; charset=utf-8"
    assert media_type("icon.svg") == "image/svg+xml"
