"""What cannot work says so in one line, with what to do about it, and ends with its exit code."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import antiphon as sdk
import antiphon_providers
from aimock import KEY, aimock, fixture
from antiphon.caller import Caller
from antiphon.talk import FAILED, NO_SERVER, REFUSED, WRONG_USE
from antiphon.wav import write_wav
from antiphon_protocol.audio import PCM
from antiphon_providers.contract.human_speech import clip
from end_to_end.product import antiphon, running, to_say
from hostile.serving import Server

NOT_STARTED = 2
NOBODY = "http://127.0.0.1:9/v1"
"""Port 9, discard: nobody listens there."""

RIGHT_KEY = "blue-door"


def not_started(*arguments: str, **variables: str) -> str:
    """The one line with which ``antiphon serve`` refuses to start."""
    done = antiphon("serve", "--port", "0", *arguments, **variables)
    assert done.returncode == NOT_STARTED, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("antiphon serve: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        ([], {"ANTIPHON_HOST": "0.0.0.0"}, ["0.0.0.0 without keys", "ANTIPHON_API_KEYS"]),  # noqa: S104
        ([], {"ANTIPHON_MAX_SESSION": "9"}, ["did you mean ANTIPHON_MAX_SESSIONS?"]),
        ([], {"ANTIPHON_PING_SECONDS": "soon"}, ["ANTIPHON_PING_SECONDS cannot be", "settings.md"]),
        ([], {"ANTIPHON_PING_SECONDS": "0"}, ["ANTIPHON_PING_SECONDS cannot be", "more than 0"]),
        (["--llm", "gpt"], {}, ["'gpt'", "installed: anthropic, dialogue, openai, scripted"]),
        (
            [],
            {"ANTIPHON_STT": "ear"},
            ["'ear'", "moonshine, openai, openai-realtime, scripted", "ANTIPHON_STT"],
        ),
        ([], {"ANTIPHON_LLM_BASE_URL": NOBODY}, ["`model`", "ANTIPHON_LLM_…"]),
        ([], {"ANTIPHON_DATABASE_URL": "u:red-door@h"}, ["cannot be read", "postgresql://"]),
        (
            [],
            {"ANTIPHON_DATABASE_URL": "postgresql://u:red-door@127.0.0.1:9/x"},
            ["127.0.0.1:9", "refused", "ANTIPHON_DATABASE_URL"],
        ),
        ([], {"ANTIPHON_DATA_DIR": "~no-such-user/x"}, ["no home folder", "ANTIPHON_DATA_DIR"]),
        ([], {"ANTIPHON_DATA_DIR": "/dev/null"}, ["/dev/null is a file", "ANTIPHON_DATA_DIR"]),
        ([], {"ANTIPHON_SECRET_KEYS": "red-door"}, ["ANTIPHON_SECRET_KEYS", "openssl rand"]),
        ([], {"ANTIPHON_PUBLIC_URL": "red-door"}, ["ANTIPHON_PUBLIC_URL", "https://voice"]),
        (
            ["--host", "192.0.2.1"],
            {"ANTIPHON_API_KEYS": "k"},
            ["cannot listen on 192.0.2.1:0", "ANTIPHON_HOST"],
        ),
    ],
)
def test_a_server_that_cannot_be_says_why_and_what_would_be_right(
    arguments: list[str], variables: dict[str, str], words: list[str]
) -> None:
    """Open to the world, misspelt, out of range, unknown, incomplete, or not of this machine. No
    secret is repeated.
    """
    said = not_started(*arguments, **variables)
    for word in words:
        assert word in said
    assert "red-door" not in said


def _lose_the_key(folder: Path) -> None:
    (folder / "secret.key").unlink()


def _show_the_key(folder: Path) -> None:
    (folder / "secret.key").chmod(0o644)


def _spoil_the_database(folder: Path) -> None:
    (folder / "antiphon.db").write_bytes(b"not a database " * 1_000)


def _upgrade_the_database(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "antiphon.db", isolation_level=None)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")


def _take_a_table(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "antiphon.db", isolation_level=None)) as database:
        database.execute("DROP TABLE usage")


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (_lose_the_key, ["under another secret key", "secret.key", "antiphon keys revoke"]),
        (_show_the_key, ["may be read by others", "chmod 600"]),
        (_spoil_the_database, ["file is not a database", "restore a backup"]),
        (_upgrade_the_database, ["newer Antiphon", "restore a backup"]),
        (_take_a_table, ["lacks tables", "(usage)", "restore a backup"]),
    ],
)
def test_a_data_folder_that_was_spoilt_is_told_with_what_to_do(
    tmp_path: Path, break_it: Callable[[Path], None], words: list[str]
) -> None:
    """The folder of a server with one API key; the key is not told."""
    folder = {"ANTIPHON_DATA_DIR": str(tmp_path)}
    key = antiphon("keys", "create", "--name", "web", **folder).stdout.strip()
    assert key
    break_it(tmp_path)
    said = not_started(**folder)
    for word in words:
        assert word in said
    assert str(tmp_path) in said or "key_" in said
    assert key not in said


def test_a_port_in_use_names_the_way_out(server: Server) -> None:
    """The port of the server that these tests talk to."""
    said = not_started("--port", str(server.port))
    assert f"127.0.0.1:{server.port}" in said
    assert "choose another port with --port or ANTIPHON_PORT" in said


def test_without_its_model_files_it_says_how_to_get_them(tmp_path: Path) -> None:
    """A copy of the providers whose folder of models is gone takes the place of the installed."""
    package = Path(next(iter(antiphon_providers.__path__)))
    shutil.copytree(
        package, tmp_path / package.name, ignore=shutil.ignore_patterns("models", "__pycache__")
    )
    said = not_started(PYTHONPATH=str(tmp_path))
    assert str(tmp_path) in said
    assert "silero_vad.onnx" in said
    assert "scripts/serve" in said


async def test_a_language_model_that_refuses_the_key_refuses_the_start(tmp_path: Path) -> None:
    """In the endpoint's own words; the key itself is not shown."""
    async with aimock(tmp_path, fixture("hello", {"content": "Hello!"})) as url:
        said = await asyncio.to_thread(
            not_started,
            ANTIPHON_LLM_BASE_URL=f"{url}/v1",
            ANTIPHON_LLM_MODEL="gpt-4o",
            ANTIPHON_LLM_API_KEY="sk-wrong",
        )
    assert "Invalid API key" in said
    assert "ANTIPHON_LLM" in said
    assert "sk-wrong" not in said
    assert KEY not in said


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that wants a key, and whose language model cannot be reached."""
    with running(
        tmp_path_factory.mktemp("guarded") / "log",
        ANTIPHON_API_KEYS=f"{RIGHT_KEY},other",
        ANTIPHON_LLM_BASE_URL=NOBODY,
        ANTIPHON_LLM_MODEL="any",
    ) as server:
        yield server


def test_a_language_model_that_is_not_there_yet_is_a_warning(guarded: Server) -> None:
    """It may come back, so the server starts; the log says what is missing."""
    assert "provider is not there yet" in guarded.log
    assert "ANTIPHON_LLM" in guarded.log
    assert "API key needed" in guarded.banner


async def test_a_call_survives_a_language_model_that_cannot_be_reached(guarded: Server) -> None:
    """The reply says what failed and that asking again may help; then the call goes on: the next
    words are understood and asked about again.
    """
    async with sdk.connect(guarded.ws, RIGHT_KEY, greeting="Good evening.") as call:
        events: list[sdk.Event] = []
        async with Caller(call, witness=events.append) as caller:
            await caller.hear_out()
            first = await caller.converse(to_say(clip("light")))
            second = await caller.converse(to_say(clip("hope")))
    assert "light" in first.transcript.lower()
    assert "hope" in second.transcript.lower()
    failures = [event for event in events if isinstance(event, sdk.ReplyError)]
    assert [failure.code for failure in failures] == ["llm_provider_error"] * 2
    assert all(failure.retryable for failure in failures)
    assert call.ended is not None


@pytest.mark.parametrize("key", [None, "red-door"])
def test_a_missing_or_wrong_key_is_told_with_what_to_do(guarded: Server, key: str | None) -> None:
    """Both look alike from outside; exit code 4."""
    given = [] if key is None else ["--key", key]
    done = antiphon("talk", "--url", guarded.ws, *given)
    assert (done.returncode, done.stdout) == (REFUSED, "")
    assert "refused the key; give one with --key or $ANTIPHON_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_turn_that_was_not_answered_is_a_failure(guarded: Server, tmp_path: Path) -> None:
    """The right key gets in; the language model's absence is shown and is the exit code."""
    question = tmp_path / "question.wav"
    write_wav(question, to_say(clip("worst")).pcm, PCM.rate)
    done = antiphon("talk", str(question), "--url", guarded.ws, ANTIPHON_API_KEY=RIGHT_KEY)
    assert done.returncode == FAILED
    assert "llm_provider_error" in done.stdout


def test_talking_to_nobody_says_how_to_start_a_server() -> None:
    """Exit code 3."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = antiphon("talk", "--url", f"ws://127.0.0.1:{unused.getsockname()[1]}")
    assert done.returncode == NO_SERVER
    assert "antiphon serve" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", [None, b"", b"not a recording"])
def test_a_file_that_cannot_be_spoken_is_named(
    server: Server, tmp_path: Path, content: bytes | None
) -> None:
    """Missing, empty or no sound: exit code 2, before anybody is called."""
    path = tmp_path / "question.wav"
    if content is not None:
        path.write_bytes(content)
    done = antiphon("talk", str(path), "--url", server.ws)
    assert done.returncode == WRONG_USE
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
