"""``antiphon serve`` as it comes: what it shows of itself, and how it ends."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from pathlib import Path

import pytest

import antiphon as sdk
from antiphon_protocol.voice_agent import TurnTimeline
from end_to_end.product import Talked, antiphon, is_quiet, running
from hostile.serving import STOP_SECONDS, Server

FILLED = re.compile(
    r'^antiphon_stage_seconds_count\{provider="([^"]*)",stage="([^"]*)"\} [1-9]', re.MULTILINE
)
"""Provider and stage of a histogram in which something was counted."""


def test_the_banner_says_where_it_is_and_what_it_is_made_of(server: Server) -> None:
    """Every address in it is one to use; the providers are named; how to stop it, too."""
    at = f"{server.host}:{server.port}"
    assert server.host == "127.0.0.1"
    for said in (
        f"http://{at}\n",
        f"ws://{at}/v1/ws (no key needed",
        f"http://{at}/metrics",
        "moonshine → dialogue → local",
        f"antiphon talk --url ws://{at}/v1/ws",
        "Ctrl-C",
    ):
        assert said in server.banner


def test_it_says_that_it_lives_and_is_ready(server: Server) -> None:
    """What probes ask; and a browser that comes to the front door is shown the way."""
    assert json.loads(server.get("/healthz")) == {"status": "ok"}
    assert json.loads(server.get("/readyz")) == {"ready": True}
    assert "/v1/ws" in server.get("/")


def test_after_a_turn_every_stage_has_been_measured(server: Server, talked: Talked) -> None:
    """One histogram a stage, filled, with the provider that did the work; and the whole."""
    assert talked.done.returncode == 0
    text = server.get("/metrics")
    assert set(FILLED.findall(text)) == {
        ("", "endpointing"),
        ("silero", "voice_activity"),
        ("moonshine", "speech_to_text"),
        ("smart-turn", "turn_detection"),
        ("dialogue", "language_model_first_token"),
        ("dialogue", "language_model_first_sentence"),
        ("local", "text_to_speech_first_audio"),
    }
    assert server.metric('antiphon_response_seconds_count{trigger="user_speech"}') >= 1
    assert server.metric("antiphon_server_overhead_seconds_count") >= 1
    assert server.metric("antiphon_turns_total") >= 1


async def hear_until_cut(server: Server, number: signal.Signals) -> None:
    """A call in whose middle the server gets a signal."""
    async with sdk.connect(server.ws, resume=False, greeting="Good evening. " * 20) as call:
        told = False
        async for event in call:
            if isinstance(event, sdk.ReplyAudio) and not told:
                # Once: a second signal would cut the ending short.
                server.process.send_signal(number)
                told = True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_at_once_and_quietly(tmp_path: Path, number: signal.Signals) -> None:
    """In the middle of a call: exit code 0, the caller is told (protocol section 4.11), and
    nothing on standard error but log lines; native libraries leave no last words.
    """
    with running(tmp_path / "log") as server:
        with pytest.raises(sdk.InternalError):
            await hear_until_cut(server, number)
        status = await asyncio.to_thread(server.process.wait, STOP_SECONDS)
        assert (status, is_quiet(server.log)) == (0, True), server.log
        last = json.loads(server.log.splitlines()[-1])
    assert last["event"] == "session ended"


async def test_a_client_that_asks_is_told_where_the_time_went(server: Server) -> None:
    """The event comes with the reply, over the same socket; who does not ask is not told."""
    heard: dict[bool, list[sdk.Event]] = {True: [], False: []}
    for asks, events in heard.items():
        async with sdk.connect(server.ws, timeline=asks, greeting="Good evening.") as call:
            async for event in call:
                events.append(event)
                if isinstance(event, sdk.ReplyDone):
                    await call.end()
    told = [event for event in heard[True] if isinstance(event, TurnTimeline)]
    assert [event.trigger for event in told] == ["greeting"]
    assert told[0].providers["text_to_speech"] == "local"
    assert not [event for event in heard[False] if isinstance(event, TurnTimeline)]


async def test_a_journal_of_a_call_replays_it(tmp_path: Path) -> None:
    """As the server wrote it, by the command that comes along: nothing is different."""
    folder = tmp_path / "journals"
    with running(tmp_path / "log", ANTIPHON_JOURNAL_DIR=str(folder)) as server:
        async with sdk.connect(server.ws, greeting="Good evening.") as call:
            async for event in call:
                if isinstance(event, sdk.ReplyDone):
                    await call.end()
    (journal,) = folder.iterdir()
    done = antiphon("replay", str(journal))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"[1-9]\d* steps, no difference\n", done.stdout)
