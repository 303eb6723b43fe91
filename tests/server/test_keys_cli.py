"""``antiphon keys``, through the front door, on both databases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import NamedTuple

import pytest

from antiphon.cli import GROUP, main
from antiphon_protocol.errors import Unauthorized
from antiphon_server.security import key_text
from antiphon_server.security.keys import Keys
from antiphon_server.security.secrets import load_keys
from antiphon_server.store.database import Database
from antiphon_server.store.keys import KeyStore
from server.security.created_keys import create

COMMAND = EntryPoint("keys", "antiphon_server.keys_cli:keys", GROUP)
_PROGRAM = """
import sys
from importlib.metadata import EntryPoint
from antiphon.cli import GROUP, main
entry = EntryPoint("keys", "antiphon_server.keys_cli:keys", GROUP)
sys.exit(main(sys.argv[1:], [entry]))
"""


class Done(NamedTuple):
    """What a command did."""

    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "data"


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``antiphon keys`` with these arguments, on that folder and these settings."""

    def command(*arguments: str, **variables: str) -> Done:
        for name in [name for name in os.environ if name.startswith("ANTIPHON_")]:
            monkeypatch.delenv(name)
        for name, text in {"DATA_DIR": str(folder), **variables}.items():
            monkeypatch.setenv(f"ANTIPHON_{name}", text)
        try:
            status = main(["keys", *arguments], [COMMAND])
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        out, err = capsys.readouterr()
        return Done(status, out, err)

    return command


def _keys(url: str, folder: Path) -> tuple[Keys, Database]:
    """A server's keys, with the settings of the command."""
    database = Database(url)
    return Keys((), store=KeyStore(database), pepper=load_keys((), folder).pepper), database


async def test_a_key_is_created_used_listed_and_revoked(
    run: Run, folder: Path, database_url: str
) -> None:
    """The whole life of one, beside a server that runs meanwhile."""
    keys, database = _keys(database_url, folder)
    assert await keys.is_open()
    done = run(
        "create", "--name", "Web shop", "--account", "shop", "--scope", "usage", "--scope", "calls",
        "--origin", "https://Shop.example/", "--max-sessions", "3", "--expires-in", "90d",
        DATABASE_URL=database_url,
    )  # fmt: skip
    assert done.status == 0, done.err
    text = done.out.removesuffix("\n")
    key_id = key_text.id_of(text)
    assert key_id is not None
    for word in (key_id, "Web shop", "'shop'", "calls, usage", "https://shop.example", "revoke"):
        assert word in done.err
    assert text not in done.err
    admission = await keys.admit(text)
    assert (admission.account, admission.key_id, admission.max_sessions) == ("shop", key_id, 3)
    assert not await keys.is_open()
    (listed,) = json.loads(run("list", "--json", DATABASE_URL=database_url).out)
    assert (listed["id"], listed["revoked_at"]) == (key_id, None)
    assert listed["expires_at"] > listed["created_at"]
    done = run("revoke", key_id, DATABASE_URL=database_url)
    assert (done.status, done.out) == (0, "")
    assert f"Revoked {key_id}" in done.err
    await keys.close()
    again = Keys((), store=KeyStore(database), pepper=load_keys((), folder).pepper)
    with pytest.raises(Unauthorized):
        await again.admit(text)
    assert "revoked" in run("list", DATABASE_URL=database_url).out
    database.dispose()


def test_nothing_but_the_output_has_the_key(run: Run, folder: Path) -> None:
    """Neither the files of the data folder nor a list."""
    text = run("create", "--name", "a").out.strip()
    assert (folder / "antiphon.db").exists()
    for file in folder.rglob("*"):
        assert text[-43:].encode() not in file.read_bytes()
    for done in (run("list"), run("list", "--json"), run("revoke", text)):
        assert text[-43:] not in done.out + done.err
        assert done.status == 0


def test_keys_of_one_account_live_side_by_side(run: Run) -> None:
    """Listed with the newest first; revoking one leaves the other."""
    texts = [run("create", "--name", f"key {n}").out.strip() for n in range(2)]
    ids = [key_text.id_of(text) or "" for text in texts]
    assert [key["id"] for key in json.loads(run("list", "--json").out)] == ids[::-1]
    run("revoke", ids[0])
    newest, oldest = json.loads(run("list", "--json").out)
    assert (newest["revoked_at"], oldest["revoked_at"] is None) == (None, False)


def test_a_key_is_revoked_once(run: Run) -> None:
    """By its id or by itself; the second time says so."""
    text = run("create", "--name", "a").out.strip()
    assert "Revoked key_" in run("revoke", text).err
    done = run("revoke", key_text.id_of(text) or "")
    assert (done.status, "was revoked before" in done.err) == (0, True)


@pytest.mark.parametrize("key", ["key_0", "", "antiphon_", "' OR 1=1 --", "k" * 5000])
def test_a_key_that_is_not_there_cannot_be_revoked(key: str, run: Run) -> None:
    """Exit status 1, and where ids are shown."""
    run("create", "--name", "a")
    done = run("revoke", key)
    assert (done.status, done.out) == (1, "")
    assert "antiphon keys list" in done.err
    assert len(done.err) < 200
    assert json.loads(run("list", "--json").out)[0]["revoked_at"] is None


def test_an_empty_list_says_how_to_begin(run: Run) -> None:
    """For people on standard error; programs get an empty list."""
    done = run("list")
    assert (done.status, done.out) == (0, "")
    assert "antiphon keys create" in done.err
    assert json.loads(run("list", "--json").out) == []


def test_a_key_the_server_would_refuse_is_not_created(run: Run, database_url: str) -> None:
    """Its other keys are of another secret key; what to do is told. Once they are gone it is."""
    database = Database(database_url)
    key_id, _ = create(database)
    done = run("create", "--name", "a", DATABASE_URL=database_url)
    assert (done.status, done.out) == (1, "")
    for word in (key_id, "ANTIPHON_SECRET_KEYS", "secret.key", "revoke"):
        assert word in done.err
    run("revoke", key_id, DATABASE_URL=database_url)
    assert run("create", "--name", "a", DATABASE_URL=database_url).status == 0
    database.dispose()


@pytest.mark.parametrize(
    ("variables", "status", "words"),
    [
        ({"DATA_DIRR": "x"}, 2, ["ANTIPHON_DATA_DIRR", "did you mean"]),
        ({"SECRET_KEYS": "short"}, 2, ["ANTIPHON_SECRET_KEYS", "openssl rand"]),
        ({"DATABASE_URL": "mysql://me:canary@host/x"}, 1, ["mysql", "postgresql"]),
        ({"DATABASE_URL": "postgresql://me:canary@127.0.0.1:1/x"}, 1, ["127.0.0.1", "***"]),
        ({"DATABASE_URL": "canary"}, 1, ["postgresql://"]),
        ({"DATA_DIR": "/dev/null/x"}, 1, ["/dev/null"]),
    ],
)
def test_settings_that_cannot_be_are_told(
    variables: dict[str, str], status: int, words: list[str], run: Run
) -> None:
    """On one line, with what to do, without a password."""
    done = run("create", "--name", "a", **variables)
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith("antiphon keys: ")
    for word in words:
        assert word in done.err
    assert "canary" not in done.err


def test_where_the_server_listens_does_not_matter(run: Run) -> None:
    """The first key is created before the server may listen there."""
    assert run("create", "--name", "a", HOST="0.0.0.0").status == 0  # noqa: S104


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, ["create", "list", "revoke"]),
        (["create"], 2, ["--name"]),
        (["create", "--name", ""], 2, ["--name"]),
        (["revoke"], 2, ["KEY_ID"]),
        (["destroy"], 2, ["create", "list", "revoke"]),
        (["--help"], 0, ["create", "list", "revoke", "ANTIPHON_DATABASE_URL"]),
        (["create", "--help"], 0, ["--origin", "--expires-in", "calls", "digest"]),
        (["list", "--help"], 0, ["--json"]),
        (["revoke", "--help"], 0, ["KEY_ID", "5 seconds"]),
    ],
)
def test_how_it_is_used_is_explained(
    arguments: list[str], status: int, words: list[str], run: Run, folder: Path
) -> None:
    """Without touching anything."""
    done = run(*arguments)
    assert done.status == status
    for word in words:
        assert word in done.out + done.err
    assert not folder.exists()


def test_the_command_itself_prints_the_key_and_nothing_else(
    folder: Path, database_url: str
) -> None:
    """In a process of its own: ``KEY=$(antiphon keys create …)`` works; another lists it."""
    variables = {"ANTIPHON_DATA_DIR": str(folder), "ANTIPHON_DATABASE_URL": database_url}
    own = {name: text for name, text in os.environ.items() if not name.startswith("ANTIPHON_")}
    results = [
        subprocess.run(
            [sys.executable, "-X", "dev", "-c", _PROGRAM, "keys", *arguments],
            env={**own, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for arguments in (["create", "--name", "über"], ["list", "--json"])
    ]
    created, listed = results
    assert [result.returncode for result in results] == [0, 0], created.stderr
    assert created.stdout.count("\n") == 1
    (key,) = json.loads(listed.stdout)
    assert (key["id"], key["name"]) == (key_text.id_of(created.stdout.strip()), "über")
    assert "Traceback" not in created.stderr + listed.stderr
    assert "Warning" not in created.stderr + listed.stderr


def test_a_key_operates_only_where_that_was_said(run: Run) -> None:
    """Without scopes it may everything that clients may."""
    for arguments in ((), ("--scope", "operator"), ("--scope", "operator", "--scope", "calls")):
        assert run("create", "--name", "a", *arguments).status == 0
    both, operator, usual = (key["scopes"] for key in json.loads(run("list", "--json").out))
    assert (both, operator) == (["calls", "operator"], ["operator"])
    assert usual == ["calls", "agents", "sessions", "webhooks", "usage"]


def test_the_database_is_found_by_the_file_of_variables(run: Run, tmp_path: Path) -> None:
    """As the server finds it; one that cannot be read is told."""
    elsewhere = tmp_path / "elsewhere"
    file = tmp_path / "antiphon.env"
    file.write_text(f"ANTIPHON_DATA_DIR={elsewhere}\n")
    assert run("create", "--name", "a", ENV_FILE=str(file)).status == 0
    assert (elsewhere / "antiphon.db").exists()
    file.unlink()
    done = run("list", ENV_FILE=str(file))
    assert done.status == 2
    assert "antiphon.env cannot be read" in done.err
