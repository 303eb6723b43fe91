"""Secrets are where they are used, and nowhere else."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from antiphon_server.security.secrets import load_keys
from antiphon_server.store.database import Database
from antiphon_server.store.tables import agents
from conformance.peer import Peer
from endurance.canaries import Canary
from endurance.figures import show
from endurance.processes import launched
from endurance.secrets_stops import converse, go_wrong, run_agents, use_keys, watch
from endurance.secrets_tour import Tour
from endurance.secrets_vendor import Indiscreet, run_vendors
from hostile.serving import SCRIPTED

LEAST_CANARIES = 25
WRONG = 400
"""From this status on an answer tells of something that went wrong."""

SHOWN_ONCE = ("POST /v1/tokens", "GET /v1/token?expires_in_seconds=60")
"""Answers that are a secret: tokens are shown to whom they are made for."""


class Visited:
    """The tour when it is over: what was used, and everything that may be looked at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        self.places: dict[str, bytes] = {}
        self.tour: Tour
        asyncio.run(self._visit(folder))

    async def _visit(self, folder: Path) -> None:
        peer = Peer()
        await peer.start(0)
        tour = self.tour = Tour(peer)
        journals = {"ANTIPHON_JOURNAL_DIR": str(self.folder / "journals")}
        try:
            async with (
                Indiscreet(tour) as vendor,
                launched(
                    folder, **{**SCRIPTED, **journals, **tour.settings(), **vendor.settings()}
                ) as server,
            ):
                async with server.rest() as rest:
                    rest.headers["Authorization"] = f"Bearer {tour.key}"
                    session_id = await converse(tour, server)
                    await watch(tour, rest, session_id)
                    await run_agents(tour, server, rest)
                    await run_vendors(tour, vendor, server, rest)
                    await use_keys(tour, server, rest, str(self.folder))
                    await go_wrong(tour, server, rest)
                    self.places["metrics"] = server.get("/metrics").encode()
                    self.places["openapi"] = (await rest.get("/v1/openapi.json")).content
                server.process.terminate()
                told = await asyncio.to_thread(server.process.communicate, timeout=20)
                self.places["log"] = (server.banner + told[0] + server.log).encode()
        finally:
            await peer.close()

    @property
    def secret(self) -> list[Canary]:
        """What may be nowhere."""
        return list(self.tour.canaries.secret.values())

    @property
    def said(self) -> list[Canary]:
        """What is kept, and is nobody's business."""
        return list(self.tour.canaries.said.values())


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Visited:
    """One tour for all tests of this module."""
    return Visited(tmp_path_factory.mktemp("secrets"))


def _found(canaries: list[Canary], place: bytes) -> list[str]:
    return [canary.name for canary in canaries if canary.is_in(place)]


def test_every_canary_was_where_it_should_be(visited: Visited) -> None:
    """Or a search that finds none would prove nothing."""
    canaries = visited.tour.canaries
    everything = canaries.secret.keys() | canaries.said.keys()
    show("canaries", secret=str(len(canaries.secret)), said=str(len(canaries.said)))
    assert len(everything) >= LEAST_CANARIES
    # Of these two that is proven below, by what is sealed.
    sealed = {"vault key", "header of a request before a call"}
    assert everything - canaries.used <= sealed
    assert len(visited.tour.answers) > LEAST_CANARIES
    assert visited.places["log"].count(b"session ended") > 1


@pytest.mark.parametrize("place", ["log", "metrics", "openapi"])
def test_neither_secrets_nor_words_are_in(visited: Visited, place: str) -> None:
    """Also at the level ``debug``."""
    assert _found(visited.secret + visited.said, visited.places[place]) == []


def test_no_error_tells_a_secret_or_a_word(visited: Visited) -> None:
    """Of any address, for any wrong key and any wrong body."""
    told = {
        (answer.what, name)
        for answer in visited.tour.answers
        if answer.status >= WRONG
        for name in _found(visited.secret + visited.said, answer.body)
    }
    assert told == set()


def test_no_answer_of_rest_tells_a_secret(visited: Visited) -> None:
    """But for the one that makes a token; agents and subscriptions are read without theirs."""
    answers = [one for one in visited.tour.answers if one.what not in SHOWN_ONCE]
    told = {(one.what, name) for one in answers for name in _found(visited.secret, one.body)}
    assert told == set()


def test_no_event_over_a_socket_tells_a_secret(visited: Visited) -> None:
    """But for the resume token in ``session.ready``: neither the configuration nor an error."""
    for event in visited.tour.events:
        event.pop("resume_token", None)
    everything = json.dumps(visited.tour.events).encode()
    assert _found(visited.secret, everything) == []


def test_a_webhook_tells_neither(visited: Visited) -> None:
    """Who receives it may know that there was a session, and how it ended."""
    hooks = b"".join(hook.body + str(hook.headers).encode() for hook in visited.tour.hooks)
    assert b"session.completed" in hooks
    assert _found(visited.secret + visited.said, hooks) == []


def test_secrets_are_kept_sealed_or_not_at_all(visited: Visited) -> None:
    """In no file of the data folder is one as it is; what was said is in the database."""
    files = {path: path.read_bytes() for path in visited.folder.rglob("*") if path.is_file()}
    told = {
        (path.name, name) for path, raw in files.items() for name in _found(visited.secret, raw)
    }
    assert told == set()
    assert any(path.parent.name == "journals" for path in files)
    words = set(_found(visited.said, b"".join(files.values())))
    assert {"what the user said", "tool argument", "tool result", "system prompt"} <= words


def test_the_vault_key_opens_what_is_sealed(visited: Visited) -> None:
    """And without it nothing does."""
    tour = visited.tour
    database = Database(f"sqlite:///{visited.folder / 'antiphon.db'}")
    ((agent_id, expected),) = tour.sealed
    query = sa.select(agents).where(agents.c.id == agent_id)
    row = database.now(lambda connection: connection.execute(query).one(), writes=False)
    database.dispose()
    vault = load_keys([tour.vault_key.text], visited.folder)
    account = hashlib.sha256(tour.key.text.encode()).hexdigest()
    opened = vault.open(row.secrets, f"{agent_id} of {account}")
    for canary in expected:
        tour.canaries.use(canary, opened)
