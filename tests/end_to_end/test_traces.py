"""Whole calls through a running server, as a collector of traces sees them."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from websockets.asyncio.client import ClientConnection, connect

from antiphon_protocol import codec
from antiphon_protocol.audio import PCM
from antiphon_providers.scripted.tones import tone_of
from hostile.serving import Server, refused, serving
from otlp_collector import Answer, Collector, attributes, collecting

CANARY = "Kanarienvogel"
FRAME_MS = 50
WAIT_SECONDS = 30.0
ROUNDING_MS = 0.002
"""Times of a timeline are told in thousandths of a millisecond."""
FAST = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
"""Batches go after a tenth of a second."""
SLOW_STAGES = {
    "ANTIPHON_LLM_FIRST_TOKEN_MS": "60",
    "ANTIPHON_LLM_PER_TOKEN_MS": "20",
    "ANTIPHON_TTS_FIRST_SOUND_MS": "40",
    "ANTIPHON_STT_UTTERANCES": f"what about the {CANARY}",
    "ANTIPHON_LLM_REPLIES": f"The {CANARY} sings.",
}
TOOL = {
    "type": "function",
    "name": "look_up",
    "description": f"Looks a {CANARY} up.",
    "parameters": {"type": "object", "properties": {"bird": {"type": "string"}}},
}
CALLS_TOOL = {
    "ANTIPHON_LLM_TOOL": "look_up",
    "ANTIPHON_LLM_TOOL_ARGUMENTS": json.dumps({"bird": CANARY}),
}
NAMES = {"OTEL_SERVICE_NAME": "birds", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=x"}
SESSION = "gen_ai.conversation.id"


class Told:
    """What a client was told, by the type of the message."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Those of a type."""
        return [message for message in self.messages if message["type"] == kind]


async def call(
    server: Server,
    traceparent: str | None = None,
    tools: tuple[dict[str, Any], ...] = (),
    replies: int = 1,
) -> Told:
    """Somebody speaks once, is answered so often, answers tools, and says goodbye."""
    told = Told()
    headers = {} if traceparent is None else {"traceparent": traceparent}
    async with (
        asyncio.timeout(WAIT_SECONDS),
        connect(f"{server.ws}?timeline=1", additional_headers=headers) as wire,
    ):
        session = {"system_prompt": f"You keep a {CANARY}.", "tools": list(tools)}
        await wire.send(json.dumps({"type": "session.update", "session": session}))
        talking = asyncio.create_task(_speak(wire))
        async for frame in wire:
            message = json.loads(frame)
            told.messages.append(message)
            if message["type"] == "tool.call":
                result = {"call_id": message["call_id"], "result": f"One {CANARY}."}
                await wire.send(json.dumps({"type": "tool.result", **result}))
            if message["type"] == "reply.done" and len(told.of("reply.done")) == replies:
                await wire.send('{"type":"session.end"}')
        await talking
    return told


async def _speak(wire: ClientConnection) -> None:
    sound = tone_of(7, 900, PCM.rate) + bytes(PCM.size(1200))
    size = PCM.size(FRAME_MS)
    for at in range(0, len(sound), size):
        await wire.send(codec.encode_input_audio(sound[at : at + size]))
        await asyncio.sleep(FRAME_MS / 1000)


def variables(collector: Collector, **more: str) -> dict[str, str]:
    """Those of a server that sends its traces there."""
    return {"ANTIPHON_OTLP_ENDPOINT": collector.url, **FAST, **SLOW_STAGES, **more}


def openmetrics(server: Server) -> tuple[str, str]:
    """The metrics as Prometheus asks for them: their type, and they."""
    accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
    address = f"http://{server.host}:{server.port}/metrics"
    request = urllib.request.Request(address, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return answer.headers["content-type"], answer.read().decode()


def ms(span: Span) -> float:
    """How long it took."""
    return (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6


def below(spans: list[Span], parent: Span) -> dict[str, Span]:
    """The spans right below one, by name."""
    return {span.name: span for span in spans if span.parent_span_id == parent.span_id}


def is_within(inner: Span, outer: Span) -> bool:
    """Whether a span lies in another one."""
    begins = inner.start_time_unix_nano >= outer.start_time_unix_nano
    return begins and inner.end_time_unix_nano <= outer.end_time_unix_nano


class Traced(NamedTuple):
    """A server that sends its traces, and who takes them."""

    server: Server
    collector: Collector

    async def spans(self, told: Told) -> dict[str, list[Span]]:
        """Those of one call, once it is over, by name."""
        (ready,) = told.of("session.ready")

        def own() -> list[Span]:
            found = self.collector.spans
            return [s for s in found if attributes(s)[SESSION] == ready["session_id"]]

        await asyncio.to_thread(self.collector.wait, lambda: _named(own(), "session"))
        return {span.name: _named(own(), span.name) for span in own()}


def _named(spans: list[Span], name: str) -> list[Span]:
    return [span for span in spans if span.name == name]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """One for all tests that change nothing about it."""
    log = tmp_path_factory.mktemp("traces") / "log"
    with (
        collecting() as collector,
        serving(log, **variables(collector, **CALLS_TOOL, **NAMES)) as server,
    ):
        yield Traced(server, collector)
        assert server.stop() == 0


async def test_a_call_is_one_trace_and_its_stages_are_those_of_the_timeline(
    traced: Traced,
) -> None:
    """Session, turn, stages: one root, every span within its parent, each stage as long as the
    client was told, and those on the critical path as long together as the response.
    """
    told = await call(traced.server)
    named = await traced.spans(told)
    every = [span for spans in named.values() for span in spans]
    ((session,), (turn,), (chat,)) = named["session"], named["turn"], named["chat"]
    stages = below(every, turn) | below(every, chat)
    (timeline,) = told.of("turn.timeline")
    expected = dict(timeline["stages"])
    about = attributes(turn)
    assert about["antiphon.response_ms"] == expected.pop("response")
    assert about["antiphon.server_overhead_ms"] == expected.pop("server_overhead")
    measured = {name: ms(stages[name]) for name in expected}
    assert measured == pytest.approx(expected, abs=ROUNDING_MS)
    until = stages["agent_speech"].start_time_unix_nano
    response = (until - stages["endpointing"].start_time_unix_nano) / 1e6
    assert response == pytest.approx(about["antiphon.response_ms"], abs=ROUNDING_MS)
    critical = {name for name in expected if name.startswith(("language", "text", "endpointing"))}
    parts = sum(measured[name] for name in critical) + about["antiphon.server_overhead_ms"]
    assert parts == pytest.approx(response, abs=0.01)
    spans = {span.span_id: span for span in every}
    outside = [
        span.name
        for span in every
        if span is not session and not is_within(span, spans[span.parent_span_id])
    ]
    assert outside == []
    assert not session.parent_span_id
    assert {span.trace_id for span in every} == {session.trace_id}
    assert below(every, session) == {"turn": turn}


async def test_spans_say_who_did_what_in_the_words_of_the_conventions(traced: Traced) -> None:
    """Session, operation, provider, tokens, tools; who the server is, as the operator calls it.
    And not what was said, by either side, in the prompt, or to and by a tool.
    """
    told = await call(traced.server, tools=(TOOL,), replies=2)
    named = await traced.spans(told)
    (session,) = named["session"]
    assert attributes(session)["antiphon.provider.language_model"] == "scripted"
    assert session.kind == Span.SPAN_KIND_SERVER
    turns = [attributes(span) for span in named["turn"]]
    assert [turn["antiphon.reply.trigger"] for turn in turns] == ["user_speech", "tool_result"]
    chat = named["chat"][-1]
    about = attributes(chat)
    assert (about["gen_ai.operation.name"], about["gen_ai.provider.name"]) == ("chat", "scripted")
    assert about["gen_ai.usage.output_tokens"] == 3
    assert about["gen_ai.response.time_to_first_chunk"] >= 0.06
    assert chat.kind == Span.SPAN_KIND_CLIENT
    (tool,) = named["execute_tool look_up"]
    about = attributes(tool)
    assert about["gen_ai.tool.name"] == "look_up"
    assert about["gen_ai.tool.call.id"] == told.of("tool.call")[0]["call_id"]
    assert tool.parent_span_id == named["turn"][0].span_id
    resource = traced.collector.about[0]
    assert (resource["service.name"], resource["deployment.environment"]) == ("birds", "x")
    assert resource["service.version"]
    assert CANARY in told.of("transcript.user")[0]["text"]
    assert not [body for body in traced.collector.bodies if CANARY.encode() in body]


async def test_a_caller_may_bring_the_trace_along(traced: Traced) -> None:
    """The session is below the caller's span; one that the caller does not keep is not sent;
    what is no ``traceparent`` counts for nothing.
    """
    ids = "ab" * 16, "cd" * 8
    unkept, kept, wrong = await asyncio.gather(
        call(traced.server, f"00-{'-'.join(ids)}-00"),
        call(traced.server, f"00-{'-'.join(ids)}-01"),
        call(traced.server, f"00-{ids[0]}-{'0' * 16}-01"),
    )
    (given,) = (await traced.spans(kept))["session"]
    (own,) = (await traced.spans(wrong))["session"]
    assert (given.trace_id.hex(), given.parent_span_id.hex()) == ids
    assert not own.parent_span_id
    assert own.trace_id.hex() != ids[0]
    unsent = unkept.of("session.ready")[0]["session_id"]
    assert all(attributes(span)[SESSION] != unsent for span in traced.collector.spans)


async def test_a_bucket_names_a_trace_that_fell_into_it(traced: Traced) -> None:
    """For scrapers that take OpenMetrics; the plain text stays as it was. The session's id is in
    neither: whoever has an account's token and that id could take the session over.
    """
    told = await call(traced.server)
    (session,) = (await traced.spans(told))["session"]
    kind, text = await asyncio.to_thread(openmetrics, traced.server)
    plain = traced.server.get("/metrics")
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    example = f'# {{trace_id="{session.trace_id.hex()}"}}'
    for name in ("response", "stage", "server_overhead"):
        lines = [line for line in text.splitlines() if line.startswith(f"antiphon_{name}_seconds")]
        assert any(example in line for line in lines)
    assert "trace_id" not in plain
    assert told.of("session.ready")[0]["session_id"] not in text


async def test_what_was_said_is_in_traces_if_a_setting_says_so(tmp_path: Path) -> None:
    """The turn's words, a tool's arguments and its result; and a ratio of nothing traces only
    the calls of those who ask for it.
    """
    settings = {"ANTIPHON_OTLP_CONTENT": "true", "ANTIPHON_OTLP_SAMPLE_RATIO": "0"}
    with (
        collecting() as collector,
        serving(tmp_path / "log", **variables(collector, **CALLS_TOOL, **settings)) as server,
    ):
        asked = call(server, f"00-{'ab' * 16}-{'cd' * 8}-01", (TOOL,), replies=2)
        told, _ = await asyncio.gather(asked, call(server))
        named = await Traced(server, collector).spans(told)
        assert server.stop() == 0
    assert {span.trace_id.hex() for span in collector.spans} == {"ab" * 16}
    (tool,) = map(attributes, named["execute_tool look_up"])
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"bird": CANARY}
    assert tool["gen_ai.tool.call.result"] == f"One {CANARY}."
    (message,) = json.loads(attributes(named["turn"][0])["gen_ai.input.messages"])
    assert message["parts"][0]["content"] == f"what about the {CANARY}"


@pytest.mark.parametrize("answer", [500, 503, "hangs", "dead"])
async def test_a_collector_in_trouble_costs_no_call_anything(
    tmp_path: Path, answer: Answer | str
) -> None:
    """The call is answered as ever, the spans are counted, and the server ends in time."""
    with collecting("takes" if answer == "dead" else answer) as collector:  # type: ignore[arg-type]
        settings = variables(collector)
        if answer == "dead":
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                port = taken.getsockname()[1]
            settings["ANTIPHON_OTLP_ENDPOINT"] = f"http://127.0.0.1:{port}"
        with serving(tmp_path / "log", **settings) as server:
            told = await call(server)
            if answer != "dead":
                await asyncio.to_thread(collector.asked)
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < WAIT_SECONDS / 2
            log = server.log
    assert len(told.of("turn.timeline")) == 1
    assert log.count("does not take traces") <= 1
    assert "Traceback" not in log


def test_a_setting_that_cannot_be_is_told() -> None:
    """In one line, which does not repeat what may hold a password."""
    status, error = refused(ANTIPHON_OTLP_ENDPOINT=f"ftp://user:{CANARY}@collector")
    assert status == 2
    assert "ANTIPHON_OTLP_ENDPOINT cannot be used" in error
    assert CANARY not in error
    assert len(error.strip().splitlines()) == 1


async def test_a_span_that_failed_says_so(tmp_path: Path) -> None:
    """A model that breaks off: the turn and the model's span are errors, with the code."""
    settings = {"ANTIPHON_LLM_FAULT": "unavailable after 1"}
    with (
        collecting() as collector,
        serving(tmp_path / "log", **variables(collector, **settings)) as server,
    ):
        await call(server)
        await asyncio.to_thread(collector.until, "session")
    (turn,) = collector.named("turn")
    assert turn.status.code == Status.STATUS_CODE_ERROR
    failed = [event for event in turn.events if event.name == "reply.failed"]
    assert attributes(failed[0])["antiphon.stage"] == "language_model"
    assert attributes(turn)["error.type"] == attributes(failed[0])["error.type"]
