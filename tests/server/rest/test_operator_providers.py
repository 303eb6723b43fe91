"""The operator sees who serves each stage, and changes it; nobody else does."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog.testing

from antiphon_providers.errors import Unavailable
from antiphon_server.edge.pipeline import Pipeline
from antiphon_server.rest.api import Api
from antiphon_server.rest.operator_providers import PATH, OperatorRoutes
from antiphon_server.security.admission import SCOPES
from antiphon_server.security.keys import Keys
from antiphon_server.settings import read
from antiphon_server.store.database import Database
from openai_peer import HELLO, responding, streaming
from raw_http import raw_server
from server.edge.asgi_client import SCRIPTED
from server.rest.rest_client import Answer, ask
from server.security.created_keys import create, keys_of

SECRET = "sk-a-secret-of-the-vendor"  # noqa: S105
LANGUAGE_MODEL = f"{PATH}/language_model"


class Desk:
    """An API with its providers, and the key of its operator."""

    def __init__(self, database: Database, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        _, self.key = create(database, scopes=("operator",), name="operator")
        self.app = Api(OperatorRoutes(keys_of(database), pipeline).operations())

    async def see(self) -> dict[str, Any]:
        """The stages, by name."""
        got = await ask(self.app, f"GET {PATH}", authorization=self.key)
        assert got.status == 200
        return {stage["stage"]: stage for stage in got.body["stages"]}

    async def put(self, body: Any, path: str = LANGUAGE_MODEL) -> Answer:
        """The answer to a change, of which the body is JSON or bytes."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await ask(self.app, f"PUT {path}", raw, authorization=self.key)


@asynccontextmanager
async def serving(database: Database, **variables: str) -> AsyncIterator[Desk]:
    """The API of a server with scripted providers and these settings."""
    own = {f"ANTIPHON_{name}": text for name, text in variables.items()}
    pipeline = Pipeline(read({**SCRIPTED, **own}))
    pipeline.create()
    await pipeline.start()
    try:
        yield Desk(database, pipeline)
    finally:
        await pipeline.close()


def to(*providers: dict[str, Any]) -> dict[str, Any]:
    """The body of a change."""
    return {"providers": list(providers)}


async def test_the_operator_sees_every_stage(database: Database) -> None:
    """Who serves it, since when, and how each one does; no option's value."""
    async with serving(database, LLM="scripted,scripted", LLM_REPLIES="a-value") as desk:
        watch = desk.pipeline.watches["llm"]
        watch.connected("scripted-1", 0.01)
        for ms in range(1, 101):
            watch.began("scripted-1", ms / 1000)
        watch.finished("scripted-1", 0.5)
        watch.failed("scripted-1", "provider_timeout")
        watch.hedged("scripted-2", won=None)
        watch.hedged("scripted-2", won=True)
        watch.switched("scripted-1", "scripted-2", "provider_timeout")
        stages = await desk.see()
        raw = (await ask(desk.app, f"GET {PATH}", authorization=desk.key)).raw
    assert list(stages) == [
        "voice_activity",
        "turn_model",
        "speech_to_text",
        "language_model",
        "text_to_speech",
    ]
    model = stages["language_model"]
    assert (model["serves"], model["version"]) == ("scripted-1", 1)
    assert model["since"].endswith("Z")
    first, second = model["providers"]
    assert (first["name"], first["breaker"], first["options"]) == (
        "scripted-1",
        "closed",
        ["replies"],
    )
    assert (first["attempts"], first["failures"]) == (2, 1)
    assert first["errors"] == {"provider_timeout": 1}
    assert first["latency_ms"] == {
        "connect": {"p50": 10.0, "p95": 10.0},
        "first": {"p50": 51.0, "p95": 96.0},
        "finish": {"p50": 500.0, "p95": 500.0},
    }
    assert (second["hedges_started"], second["hedges_won"]) == (1, 1)
    assert second["latency_ms"]["first"] == {"p50": None, "p95": None}
    (switch,) = model["switches"]
    assert switch == {
        "provider": "scripted-1",
        "to": "scripted-2",
        "reason": "provider_timeout",
        "count": 1,
    }
    assert "routed" not in model
    assert stages["turn_model"]["providers"][0]["breaker"] is None
    assert b"a-value" not in raw


async def test_a_change_is_told_and_counts_from_new(database: Database) -> None:
    """In the stage as it is served now; who is left alone is not who serves."""
    async with serving(database) as desk:
        changed = await desk.put(
            to({"name": "scripted", "options": {"replies": "B"}}, {"name": "scripted"})
        )
        again = await desk.put(
            to({"name": "scripted", "options": {"replies": "B"}}, {"name": "scripted"})
        )
        seen = (await desk.see())["language_model"]
        assert changed.status == again.status == 200
        assert changed.body == again.body == seen
        assert (seen["version"], seen["serves"]) == (2, "scripted-1")
        assert [each["attempts"] for each in seen["providers"]] == [0, 0]
        assert (await desk.see())["speech_to_text"]["version"] == 1
        first = desk.pipeline.lineups["llm"].candidates[0]
        first.breaker.trip(Unavailable("away"), time.monotonic())
        seen = (await desk.see())["language_model"]
        assert seen["serves"] == "scripted-2"
        assert [each["breaker"] for each in seen["providers"]] == ["open", "closed"]


async def test_a_key_of_a_client_may_not(database: Database) -> None:
    """Neither one of the settings nor one with every other scope, nor anybody on a server that
    has none: 403 in the envelope, and the providers stay.
    """
    async with serving(database) as desk:
        _, usual = create(database)
        keys_of_settings = Keys(("client-key",))
        open_server = Keys(())
        elsewhere = "voice.example.com"
        for keys, key in ((keys_of(database), usual), (keys_of_settings, "client-key"),
                          (open_server, None)):  # fmt: skip
            app = Api(OperatorRoutes(keys, desk.pipeline).operations())
            for target in (f"GET {PATH}", f"PUT {LANGUAGE_MODEL}"):
                refused = await ask(
                    app, target, json.dumps(to({"name": "nothing"})).encode(),
                    authorization=key, host=elsewhere,
                )  # fmt: skip
                assert (refused.status, refused.body["code"]) == (403, "forbidden")
                assert "scope 'operator'" in refused.body["message"]
        nobody = await ask(desk.app, f"GET {PATH}", authorization=None)
        assert (nobody.status, nobody.body["code"]) == (401, "missing_authorization")
        wrong = await ask(desk.app, f"PUT {LANGUAGE_MODEL}", authorization="nothing")
        assert (wrong.status, wrong.body["code"]) == (401, "unauthorized")
        assert "operator" not in SCOPES
        assert (await desk.see())["language_model"]["version"] == 1


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "a.localhost"])
async def test_whoever_is_at_a_machine_without_keys_may_look(database: Database, host: str) -> None:
    """By a name that leads nowhere else; changing anything takes an operator."""
    async with serving(database) as desk:
        app = Api(OperatorRoutes(Keys(()), desk.pipeline).operations())
        seen = await ask(app, f"GET {PATH}", authorization=None, host=host)
        assert (seen.status, seen.body) == (200, (await ask(
            desk.app, f"GET {PATH}", authorization=desk.key)).body)  # fmt: skip
        change = json.dumps(to({"name": "nothing"})).encode()
        refused = await ask(app, f"PUT {LANGUAGE_MODEL}", change, authorization=None, host=host)
        assert (refused.status, refused.body["code"]) == (403, "forbidden")
        locked = Api(OperatorRoutes(Keys(("key",)), desk.pipeline).operations())
        assert (await ask(locked, f"GET {PATH}", authorization=None, host=host)).status == 401
        assert (await ask(locked, f"GET {PATH}", authorization="key", host=host)).status == 403


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"", 422, "providers"),
        (b"{", 400, None),
        (b"\xff\xfe", 400, None),
        (b"[" * 100_000, 413, None),
        (b"[" * 60_000, 400, None),
        (b" " * 70_000, 413, None),
        ([], 422, None),
        (to(), 422, "providers"),
        ({"providers": {}}, 422, "providers"),
        ({"providers": "scripted"}, 422, "providers"),
        (to(*[{"name": "scripted"}] * 10), 422, "providers"),
        ({"providers": [7]}, 422, "providers[0]"),
        (to({}), 422, "providers[0].name"),
        (to({"name": ""}), 422, "providers[0].name"),
        (to({"name": "x" * 101}), 422, "providers[0].name"),
        (to({"name": None}), 422, "providers[0].name"),
        (to({"name": "scripted", "options": []}), 422, "providers[0].options"),
        (to({"name": "scripted", "options": {"replies": 7}}), 422, "providers[0].options.replies"),
        (
            to({"name": "scripted", "options": {"replies": {"a": 1}}}),
            422,
            "providers[0].options.replies",
        ),
    ],
)
async def test_a_body_that_cannot_be_changes_nothing(
    database: Database, body: Any, status: int, param: str | None
) -> None:
    """Garbage, too much, wrong types: told where, and who serves stays."""
    async with serving(database) as desk:
        refused = await desk.put(body)
        assert (refused.status, refused.body.get("param")) == (status, param)
        assert (await desk.see())["language_model"]["version"] == 1


@pytest.mark.parametrize("stage", ["llm", "noise_suppression", "Language_Model", "..", "%00", "é"])
async def test_a_stage_that_is_none_is_not_found(database: Database, stage: str) -> None:
    """The answer names those that there are."""
    async with serving(database) as desk:
        refused = await desk.put(to({"name": "scripted"}), f"{PATH}/{stage}")
        assert (refused.status, refused.body["code"]) == (404, "stage_not_found")
        assert "language_model, text_to_speech" in refused.body["message"]


async def test_a_stage_that_the_recogniser_serves_is_not_found(database: Database) -> None:
    """There is no turn model to change."""
    async with serving(database, TURN="recogniser") as desk:
        refused = await desk.put(to({"name": "scripted"}), f"{PATH}/turn_model")
        assert refused.status == 404
        assert "turn_model" not in await desk.see()


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ({"name": "nothing"}, "there is no language model provider 'nothing'; installed: "),
        ({"name": "scripted", "options": {"colour": "red"}}, "its options: replies"),
        ({"name": "scripted", "options": {"first_token_ms": "soon"}}, "first_token_ms"),
        ({"name": "openai", "options": {"base_url": "no url", "model": "m"}}, "base_url"),
        ({"name": "openai", "options": {"base_url": "file:///etc/passwd", "model": "m"}}, "http"),
        ({"name": "openai", "options": {"base_url": "http://", "model": "m"}}, "base_url"),
    ],
)
async def test_what_cannot_be_made_is_refused_in_its_own_words(
    database: Database, provider: dict[str, Any], words: str
) -> None:
    """422 with the provider's code, and the old one stays."""
    async with serving(database) as desk:
        refused = await desk.put(to({"name": "scripted"}, provider))
        assert (refused.status, refused.body["code"]) == (422, "provider_refused")
        assert words in refused.body["message"]
        assert (await desk.see())["language_model"]["version"] == 1


async def test_a_wrong_key_is_refused_before_anybody_is_served_by_it(database: Database) -> None:
    """In the vendor's words, without the key: neither told back nor logged. A right one is
    taken, on this machine, too: the operator says where models are.
    """
    told = {"error": {"message": f"Incorrect API key provided: {SECRET}", "code": "invalid"}}
    refusing = responding(401, json.dumps(told).encode())
    async with raw_server(refusing) as vendor, serving(database) as desk:
        options = {"base_url": vendor.url, "model": "m", "api_key": SECRET}
        with structlog.testing.capture_logs() as logs:
            refused = await desk.put(to({"name": "openai", "options": options}))
            assert (refused.status, refused.body["code"]) == (422, "provider_refused")
            assert "Incorrect API key provided: [api key]" in refused.body["message"]
            assert (await desk.see())["language_model"]["version"] == 1
            vendor.answer = streaming(HELLO)
            taken = await desk.put(to({"name": "openai", "options": options}))
        assert (taken.status, taken.body["version"]) == (200, 2)
        assert taken.body["providers"][0]["options"] == ["api_key", "base_url", "model"]
        assert SECRET not in f"{refused.raw!r}{taken.raw!r}{logs}{await desk.see()}"
        audits = [line for line in logs if "key" in line]
        assert [line["event"] for line in audits] == [
            "change of providers refused",
            "providers changed",
        ]
        assert audits[1]["before"] == ("scripted",)
        assert audits[1]["after"] == ("openai",)
        assert audits[1]["version"] == 2
        assert audits[1]["key"].startswith("key_")


async def test_a_provider_that_does_not_answer_takes_nothing_over(database: Database) -> None:
    """502: the same request may be sent again later."""
    async with raw_server(streaming(HELLO)) as vendor:
        gone = vendor.url
    async with serving(database) as desk:
        options = {"base_url": gone, "model": "m", "api_key": SECRET}
        refused = await desk.put(to({"name": "openai", "options": options}))
        assert (refused.status, refused.body["code"]) == (502, "provider_unavailable")
        assert (await desk.see())["language_model"]["version"] == 1
