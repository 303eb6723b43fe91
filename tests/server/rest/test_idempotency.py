"""``Idempotency-Key``: carried out once, and what cannot be a key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest import BuiltinToolList
from antiphon_server.rest.answers import answer
from antiphon_server.rest.api import Api
from antiphon_server.rest.bodies import json_object
from antiphon_server.rest.errors import NotFound
from antiphon_server.rest.idempotency import Idempotency
from antiphon_server.rest.operations import Operation
from antiphon_server.store.database import Database
from antiphon_server.store.idempotency import Claims
from antiphon_server.store.tables import metadata
from server.rest.rest_client import Answer, ask


class _Bench:
    """An API with one operation, ``POST /v1/things``, which counts how often it is done."""

    def __init__(self, database: Database) -> None:
        self.once = Idempotency(Claims(database), b"pepper")
        self.done = 0
        self.go = asyncio.Event()
        self.go.set()
        self.began = asyncio.Event()
        self.failure: Exception | None = None
        self.database = database
        self.breaks = False
        paths = ("/v1/things", "/v1/others")
        self.app = Api(
            Operation(method="POST", path=path, handler=self._handle, summary="", tag="")
            for path in paths
        )

    async def _handle(self, request: Request) -> Response:
        async def work() -> Response:
            await json_object(request)
            self.began.set()
            await self.go.wait()
            if self.failure is not None:
                raise self.failure
            self.done += 1
            if self.breaks:
                self.database.engine.dispose()
                file = Path(self.database.url.database or "")
                file.parent.rename(file.parent.with_name("gone"))
            return answer(BuiltinToolList(({"number": self.done},)), 201)

        return await self.once.once("account-1", request, work, 1_000)

    async def ask(self, *keys: str, body: bytes = b"{}", path: str = "/v1/things") -> Answer:
        headers = tuple(("idempotency-key", key) for key in keys)
        return await ask(self.app, f"POST {path}", body, headers=headers)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[_Bench]:
    """A bench on a database of its own."""
    database = Database(f"sqlite:///{tmp_path}/data/test.db")
    metadata.create_all(database.engine)
    yield _Bench(database)
    database.dispose()


async def test_without_a_key_a_request_is_done_each_time(bench: _Bench) -> None:
    """Nothing is kept."""
    assert (await bench.ask()).raw != (await bench.ask()).raw
    assert bench.done == 2


async def test_with_a_key_it_is_done_once(bench: _Bench) -> None:
    """The second answer is the first, and says that it is."""
    first, second = await bench.ask("k"), await bench.ask("k")
    assert (first.status, first.raw) == (second.status, second.raw) == (201, second.raw)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["content-type"] == "application/json"
    assert bench.done == 1


async def test_another_key_or_another_path_is_another_request(bench: _Bench) -> None:
    """A key belongs to one operation."""
    for key, path in (("k", "/v1/things"), ("K", "/v1/things"), ("k", "/v1/others")):
        await bench.ask(key, path=path)
    assert bench.done == 3


async def test_another_body_under_a_key_is_refused(bench: _Bench) -> None:
    """It would be answered with what it did not ask for."""
    await bench.ask("k")
    got = await bench.ask("k", body=b"{ }")
    assert (got.status, got.body["code"]) == (422, "idempotency_key_reuse")
    assert bench.done == 1


async def test_two_at_once_are_not_both_done(bench: _Bench) -> None:
    """The second is told to come back."""
    bench.go.clear()
    first = asyncio.create_task(bench.ask("k"))
    await bench.began.wait()
    got = await bench.ask("k")
    assert (got.status, got.body["code"]) == (409, "idempotency_in_progress")
    assert got.headers["retry-after"] == "1"
    bench.go.set()
    assert (await first).status == 201
    assert (await bench.ask("k")).headers["idempotent-replayed"] == "true"
    assert bench.done == 1


@pytest.mark.parametrize(
    ("failure", "status"), [(NotFound(), 404), (ZeroDivisionError("broke"), 500)]
)
async def test_what_failed_may_be_tried_again(
    bench: _Bench, failure: Exception, status: int
) -> None:
    """Under the same key, and with a better body."""
    bench.failure = failure
    assert (await bench.ask("k")).status == status
    bench.failure = None
    assert (await bench.ask("k", body=b'{"a":1}')).status == 201
    assert bench.done == 1


async def test_what_was_done_is_told_though_it_cannot_be_kept(bench: _Bench) -> None:
    """A client that were told that it failed would do it again."""
    bench.breaks = True
    with structlog.testing.capture_logs() as lines:
        assert (await bench.ask("k")).status == 201
    assert lines[0]["event"] == "answer cannot be kept for another request"


async def test_a_body_that_cannot_be_uses_up_no_key(bench: _Bench) -> None:
    """Too large, or no JSON."""
    assert (await bench.ask("k", body=b" " * 1_001)).status == 413
    assert (await bench.ask("k", body=b"{")).status == 400
    assert (await bench.ask("k")).status == 201


@pytest.mark.parametrize("keys", [("",), ("a" * 256,), ("a\tb",), ("é",), ("a", "b"), ("\x7f",)])
async def test_a_key_that_cannot_be_is_refused(bench: _Bench, keys: tuple[str, ...]) -> None:
    """Printable ASCII, 1 to 255 characters, once."""
    got = await bench.ask(*keys)
    assert (got.status, got.body["code"]) == (400, "idempotency_key_invalid")
    assert bench.done == 0


@pytest.mark.parametrize("key", ["a", "~" * 255, "6f1c9a9e-0000 !"])
async def test_any_printable_text_is_a_key(bench: _Bench, key: str) -> None:
    """Clients choose; most take a UUID."""
    assert (await bench.ask(key)).status == 201
