"""``antiphon providers show`` and ``swap``, against a running server."""

from __future__ import annotations

import argparse
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from antiphon_server.providers_cli import Providers
from antiphon_server.providers_remote import DONE, FAILED, KEY_VARIABLE, URL_VARIABLE, WRONG_USE
from end_to_end.product import antiphon
from hostile.serving import Server, serving
from server.test_providers_cli import run

SECRET = "a-secret-of-the-vendor"  # noqa: S105


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """One that the command finds, with the key of its operator, by their variables."""
    data = str(tmp_path / "data")
    key = antiphon("keys", "create", "--name", "o", "--scope", "operator", ANTIPHON_DATA_DIR=data)
    monkeypatch.setenv(KEY_VARIABLE, key.stdout.strip())
    with serving(tmp_path / "log", ANTIPHON_DATA_DIR=data) as process:
        monkeypatch.setenv(URL_VARIABLE, process.ws)
        yield process


def test_the_operator_sees_and_swaps(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stages for people and for programs; options of each by its place, also out of a file."""
    assert run("show") == DONE
    shown = capsys.readouterr().out
    assert "language model  version 1, since " in shown
    assert "* scripted             0 answers, 0 failed" in shown
    file = tmp_path / "replies"
    file.write_text(f"{SECRET}\n")
    status = run(
        "swap", "language_model", "scripted", "scripted",
        "--option", f"replies=@{file}", "--option", "2.replies=a=b", "--option", "1.fault=",
    )  # fmt: skip
    assert status == DONE
    assert "language model  version 2, since " in capsys.readouterr().out
    assert run("show", "--json", "--url", f"http://{server.host}:{server.port}") == DONE
    model = json.loads(capsys.readouterr().out)[3]
    assert [each["name"] for each in model["providers"]] == ["scripted-1", "scripted-2"]
    assert [each["options"] for each in model["providers"]] == [["fault", "replies"], ["replies"]]


def test_what_the_server_refuses_is_told(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In its words; without a key with where to put it."""
    assert run("swap", "language_model", "nothing", "--url", server.ws) == FAILED
    assert "there is no language model provider 'nothing'" in capsys.readouterr().err
    monkeypatch.delenv(KEY_VARIABLE)
    assert run("show", "--url", server.ws) == FAILED
    assert f"(${KEY_VARIABLE} has the key)" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody listens, or it is no address at all."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert run("show", "--url", f"http://127.0.0.1:{port}") == FAILED
    assert "no answer of a server at" in capsys.readouterr().err
    for url in ("ftp://there", "nothing", "http://"):
        assert run("show", "--url", url) == WRONG_USE
        assert "is no address of a server" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["replies", "=x", "2.replies=x", "0.replies=x", "x.replies=x"])
def test_an_option_that_is_none_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is asked."""
    assert run("swap", "language_model", "scripted", "--option", option) == WRONG_USE
    assert "--option is NAME=VALUE" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """By its name."""
    assert run("swap", "language_model", "scripted", "--option", "a=@/nowhere/x") == WRONG_USE
    assert "/nowhere/x cannot be read" in capsys.readouterr().err


def test_a_stage_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    command = Providers()
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    parse: Callable[[list[str]], argparse.Namespace] = parser.parse_args
    with pytest.raises(SystemExit):
        parse(["swap", "llm", "scripted"])
    assert "language_model" in capsys.readouterr().err


def test_an_answer_of_something_else_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A page that is no JSON, or JSON of another kind."""
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        try:
            for _ in Elsewhere.pages:
                assert run("show", "--url", f"http://127.0.0.1:{other.server_port}") == FAILED
                assert "no answer of a server at" in capsys.readouterr().err
        finally:
            other.shutdown()
            thread.join()


class Elsewhere(BaseHTTPRequestHandler):
    """Somebody else's server, which says these in turn."""

    pages: ClassVar = [b"<html>", b"[]", b"\xff", b""]
    said: ClassVar = [0]

    def do_GET(self) -> None:
        """The next page."""
        page = self.pages[self.said[0] % len(self.pages)]
        self.said[0] += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_args: object) -> None:
        """Nothing."""
