"""``antiphon serve``: it starts, says where it is, stops; or says why it cannot."""

import argparse
import socket
from pathlib import Path

import pytest

from antiphon_server.cli import MISCONFIGURED, serve
from hostile.serving import refused, serving


def test_it_says_where_it_listens_and_stops_without_an_error(tmp_path: Path) -> None:
    """The banner is the address, the metrics and the providers; Ctrl-C is exit status 0."""
    with serving(tmp_path / "log", ANTIPHON_API_KEYS="first-key,second-key") as server:
        assert f"ws://127.0.0.1:{server.port}/v1/ws (API key needed)" in server.banner
        assert f"http://127.0.0.1:{server.port}/metrics" in server.banner
        assert "scripted → scripted → scripted" in server.banner
        assert server.get("/healthz") == '{"status":"ok"}'
        assert server.stop() == 0
        assert "Traceback" not in server.log
        assert "first-key" not in server.banner + server.log


def test_without_keys_the_banner_says_so(tmp_path: Path) -> None:
    """Nobody runs an open server without having been told."""
    with serving(tmp_path / "log") as server:
        assert "no key needed" in server.banner
        assert f"Playground {server.http}/" in server.banner
        assert server.stop() == 0


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    """On one line, without a traceback, exit status 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, error = refused("--port", str(port))
    assert status == MISCONFIGURED
    assert f"cannot listen on 127.0.0.1:{port}" in error
    assert "--port" in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (["--llm", "nothing"], {}, ["'nothing'", "installed: ", "scripted", "ANTIPHON_LLM"]),
        (["--host", "0.0.0.0"], {}, ["without keys", "ANTIPHON_API_KEYS"]),  # noqa: S104
        ([], {"ANTIPHON_PROT": "1"}, ["ANTIPHON_PROT", "did you mean ANTIPHON_PORT?"]),
        ([], {"ANTIPHON_MAX_SESSIONS": "many"}, ["ANTIPHON_MAX_SESSIONS cannot be used"]),
        ([], {"ANTIPHON_STT_FAULT": "nonsense"}, ["'nonsense' is no fault"]),
        ([], {"ANTIPHON_TTS_TEMPO": "2"}, ["tempo", "ms_per_character"]),
        ([], {"ANTIPHON_DATA_DIR": "/proc/antiphon"}, ["data folder", "ANTIPHON_DATA_DIR"]),
        ([], {"ANTIPHON_DATABASE_URL": "mysql://me@there/x"}, ["mysql://", "postgresql://"]),
        ([], {"ANTIPHON_SECRET_KEYS": "short"}, ["ANTIPHON_SECRET_KEYS", "32 bytes"]),
        ([], {"ANTIPHON_ARTIFACTS_URL": "ftp://there/x"}, ["ANTIPHON_ARTIFACTS_URL", "s3://"]),
    ],
)
def test_a_server_that_cannot_start_says_why(
    arguments: list[str], variables: dict[str, str], words: list[str]
) -> None:
    """One line on standard error: what is wrong and what would be right; exit status 2."""
    status, error = refused("--port", "0", *arguments, **variables)
    assert status == MISCONFIGURED
    assert error.startswith("antiphon serve: ")
    assert "Traceback" not in error
    for word in words:
        assert word in error


def test_every_option_is_explained() -> None:
    """``--help`` names each with a word about it."""
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    for action in parser._actions:
        assert action.help
    assert serve.help
