"""The whole REST API in this process, explored by schemathesis along its own document.

Everything that schemathesis can check is checked, but for what the hosted service's own
behaviour contradicts:

* ``GET /v1/token`` answers a missing or wrong key with 422 and 404 (voice agent protocol, section
  1.4), where ``ignored_auth`` and ``missing_required_header`` want 401;
* a body that fits its schema may still be 422: a schema cannot say that a voice exists, a host
  resolves, a cursor was given out or a name is listed once.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon_server.edge.pipeline import Pipeline
from antiphon_server.rest.api import Api
from antiphon_server.rest.openapi import PATH
from antiphon_server.rest.resources import Resources, operations
from antiphon_server.rest.sessions import SessionPlaces
from antiphon_server.security.keys import Keys
from antiphon_server.security.links import Links
from antiphon_server.security.outbound import OutboundGuard
from antiphon_server.security.secrets import Vault
from antiphon_server.settings import Settings
from antiphon_server.store.agents import Agents
from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.database import Database
from antiphon_server.store.idempotency import Claims
from antiphon_server.store.retention import Keeping
from server.store.used_sessions import FIRST, Row, write

KEY = "key-1"
SESSION = f"sess_{'0' * 32}"

_BY_DESIGN = ("ignored_auth", "missing_required_header")
_TOKEN = {
    "include-name": "GET /v1/token",
    "checks": {name: {"enabled": False} for name in _BY_DESIGN},
}
_MAY_BE_REFUSED = {"expected-statuses": ["2xx", "401", "403", "404", "409", "422", "429"]}
_LONG = 40
_PLAIN = re.compile(rb"[ -~]{1,200}")


class Explored(NamedTuple):
    """How many requests were made in each phase, and what was wrong with which."""

    cases: Counter[str]
    failures: list[str]


@contextmanager
def whole_api(database: Database, folder: Path) -> Iterator[ASGIApp]:
    """The API of a server on this database, which has one key and one session."""
    keys, vault = Keys((KEY,)), Vault((bytes(32),))
    guard = OutboundGuard(resolve=_resolve)
    write(database, Row(asyncio.run(keys.owner(KEY)).account, SESSION, FIRST))
    places = SessionPlaces(Keeping(database, Folder(folder)), Links(vault.pepper))
    resources = Resources(
        keys=keys,
        vault=vault,
        guard=guard,
        agents=Agents(database, vault),
        claims=Claims(database),
        places=places,
        stages=Pipeline(Settings()),
    )
    yield Api(operations(resources))
    asyncio.run(guard.close())


def explored(app: ASGIApp, examples: int, seed: int, *, leave_out: str = "") -> Explored:
    """What schemathesis finds with so many examples for each operation, beside those that it
    derives from the schema's limits. ``leave_out`` is an operation, such as ``GET /v1/x``.
    """
    schema = schemathesis.openapi.from_asgi(
        PATH, _with_fresh_keys(app), config=_config(examples, seed)
    )
    asked = schema.exclude(name=leave_out) if leave_out else schema
    cases: Counter[str] = Counter()
    failures: list[str] = []
    for event in from_schema(asked).execute():
        if isinstance(event, events.ScenarioFinished):
            cases[event.phase.name] += len(event.recorder.cases)
            failures += _failures(event)
        elif isinstance(event, events.NonFatalError):
            failures.append(f"{event.label}: {event.info}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return Explored(cases, failures)


def _config(examples: int, seed: int) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "headers": {"Authorization": f"Bearer {KEY}"},
            "cache": {"enabled": False},
            "generation": {"max-examples": examples},
            "checks": {"positive_data_acceptance": _MAY_BE_REFUSED},
            "operations": [_TOKEN],
        }
    )


def _failures(event: events.ScenarioFinished) -> Iterator[str]:
    for case_id, checks in event.recorder.checks.items():
        sent = _in_short(event.recorder.cases[case_id].value.body)
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info.failure
                told = f"{check.name}: {failure.title}\n{failure.message}\nsent: {sent}"
                yield f"{event.recorder.label}: {told}\n{check.failure_info.code_sample}"


def _in_short(value: Any) -> Any:
    """A body in which a long text is its beginning and its length, in characters."""
    if isinstance(value, dict):
        return {_in_short(name): _in_short(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_in_short(each) for each in value]
    if isinstance(value, str) and len(value) > _LONG:
        return f"{value[:_LONG]}… of {len(value)}"
    return value


def _with_fresh_keys(app: ASGIApp) -> ASGIApp:
    """Makes each good ``Idempotency-Key`` one of its own: an answer that is given again may be
    about what was deleted since, which looks like a resource that was lost.
    """
    numbers = itertools.count()

    async def freshened(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [
            (name, b"%s%d" % (text, next(numbers)) if _is_good_key(name, text) else text)
            for name, text in scope.get("headers", ())
        ]
        await app({**scope, "headers": headers}, receive, send)

    return freshened


def _is_good_key(name: bytes, text: bytes) -> bool:
    return name == b"idempotency-key" and _PLAIN.fullmatch(text) is not None


async def _resolve(_host: str, _port: int) -> Sequence[str]:
    """Every name has an address in public."""
    return ["93.184.216.34"]
