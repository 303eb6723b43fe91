"""Settings that are read again: what takes over, what is refused, what waits for a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from antiphon_server.edge.pipeline import Pipeline
from antiphon_server.edge.reload import Reload, needing_restart
from antiphon_server.env_file import Environment
from antiphon_server.settings import Candidate, Settings, read
from server.edge.asgi_client import SCRIPTED
from server.edge.starting import Starting, starting

__all__ = ["starting"]

SECRET = "a-secret-value"  # noqa: S105
REFUSED = "settings were refused; nothing changes"


class Running:
    """Providers of a server with a file of variables, and the log of what became of it."""

    def __init__(self, path: Path, process: dict[str, str]) -> None:
        self.path = path
        self.process = process
        self.environment = Environment(process, str(path))
        variables = self.environment.read()
        self.pipeline = Pipeline(read(variables))
        self.environment.use(variables)
        self.reload = Reload(self.pipeline, self.environment, read)

    def writes(self, text: str | None) -> None:
        """The file says this now, or is gone."""
        if text is None:
            self.path.unlink()
        else:
            self.path.write_text(text)

    async def reads(self, text: str | None) -> list[dict[str, Any]]:
        """It says this now, and is read; the lines of the log."""
        self.writes(text)
        with structlog.testing.capture_logs() as logs:
            await self.reload.read()
        return [dict(line) for line in logs]

    @property
    def versions(self) -> dict[str, int]:
        """Of the stages that were changed."""
        lineups = self.pipeline.lineups.items()
        return {setting: each.version for setting, each in lineups if each.version > 1}


@asynccontextmanager
async def running(path: Path, text: str = "", **process: str) -> AsyncIterator[Running]:
    """A server whose file says this."""
    await asyncio.to_thread(path.write_text, text)
    server = Running(path, {**SCRIPTED, **process})
    server.pipeline.create()
    await server.pipeline.start()
    try:
        yield server
    finally:
        await server.pipeline.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "antiphon.env"


async def test_the_stages_that_settings_choose_differently_are_changed(path: Path) -> None:
    """And no other; the same file again changes nothing."""
    async with running(path, "ANTIPHON_LLM_REPLIES=A") as server:
        text = "ANTIPHON_LLM_REPLIES=B\nANTIPHON_TTS=scripted,scripted\n"
        (line,) = await server.reads(text)
        assert (line["event"], line["changed"]) == (
            "settings were read again",
            ["language_model", "text_to_speech"],
        )
        assert server.versions == {"llm": 2, "tts": 2}
        (line,) = await server.reads(text)
        assert (line["changed"], server.versions) == ([], {"llm": 2, "tts": 2})
        await server.reads("")
        assert server.pipeline.lineups["llm"].chosen[0].options == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"ANTIPHON_LLM_API_KEY {SECRET}", "line 1 of"),
        ("ANTIPHON_LLM_REPLIES=B\nANTIPHON_PROT=1", "did you mean ANTIPHON_PORT?"),
        ("ANTIPHON_LLM_REPLIES=B\nANTIPHON_MAX_SESSIONS=many", "is not a whole number"),
        ("ANTIPHON_LLM_REPLIES=B\nANTIPHON_TTS=nothing", "chosen by ANTIPHON_TTS"),
        ("ANTIPHON_LLM_REPLIES=B\nANTIPHON_TTS_CHUNK_MS=x", "chunk_ms"),
        ("ANTIPHON_LLM_REPLIES=B\nANTIPHON_POLICY_COLOUR=red", "ANTIPHON_POLICY_… cannot be"),
        ("ANTIPHON_LLM_REPLIES=B\nANTIPHON_PRICES=free", "ANTIPHON_PRICES cannot be used"),
        ("ANTIPHON_LLM_REPLIES=B\nANTIPHON_ROUTE=fastest", "ANTIPHON_LLM names one"),
        (
            "\n".join(
                [
                    "ANTIPHON_LLM_REPLIES=B",
                    "ANTIPHON_TTS=starting",
                    "ANTIPHON_TTS_START=refused",
                    f"ANTIPHON_TTS_API_KEY={SECRET}",
                    "VENDOR_KEY=new",
                ]
            ),
            "Incorrect API key provided",
        ),
    ],
)
async def test_a_file_that_cannot_be_changes_nothing(
    path: Path, starting: list[Starting], text: str, words: str
) -> None:
    """Said once, clearly, without values; not even the stage that could be changed is."""
    async with running(path, "VENDOR_KEY=old") as server:
        (line,) = await server.reads(text)
        assert (line["event"], line["log_level"]) == (REFUSED, "error")
        assert words in line["reason"]
        assert SECRET not in str(line)
        assert server.versions == {}
        assert server.process["VENDOR_KEY"] == "old"
        await server.reads("ANTIPHON_LLM_REPLIES=C\nVENDOR_KEY=old")
        assert server.versions == {"llm": 2}
    assert all(each.closed == 1 for each in starting)


async def test_a_file_that_is_gone_changes_nothing(path: Path) -> None:
    """The providers stay those of before."""
    async with running(path, "ANTIPHON_LLM_REPLIES=A") as server:
        (line,) = await server.reads(None)
        assert line["event"] == REFUSED
        assert server.versions == {}


async def test_a_vendors_new_key_is_taken_by_all_who_may_use_it(path: Path) -> None:
    """Which of them read it is not known here: each is made again. So is it with the policy."""
    async with running(path, "VENDOR_KEY=old") as server:
        (line,) = await server.reads(f"VENDOR_KEY={SECRET}")
        assert server.versions == {"stt": 2, "llm": 2, "tts": 2}
        assert server.process["VENDOR_KEY"] == SECRET
        assert SECRET not in str(line)
        await server.reads(f"VENDOR_KEY={SECRET}\nANTIPHON_POLICY_FIRST_MS=700")
        assert server.versions == {"stt": 3, "llm": 3, "tts": 3}
        assert server.pipeline.casting.policy.first_ms == 700


async def test_what_an_operator_has_put_stays_until_its_settings_change(path: Path) -> None:
    """Also where all providers are made again for another reason."""
    own = [Candidate("llm", "scripted", {"replies": "the operator's"})]
    async with running(path, "ANTIPHON_LLM_REPLIES=A") as server:
        await server.pipeline.change({"llm": own})
        await server.reads("ANTIPHON_LLM_REPLIES=A\nANTIPHON_STT_UTTERANCES=hello\nVENDOR_KEY=1")
        assert list(server.pipeline.lineups["llm"].chosen) == own
        await server.reads("ANTIPHON_LLM_REPLIES=B")
        assert server.pipeline.lineups["llm"].chosen[0].options == {"replies": "B"}


async def test_an_operator_who_is_faster_is_not_overruled(
    path: Path, starting: list[Starting]
) -> None:
    """A change by REST that is under way when the file is read stays, too."""
    own = [Candidate("llm", "starting")]
    async with running(path) as server:
        changing = asyncio.create_task(server.pipeline.change({"llm": own}))
        await server.reads("VENDOR_KEY=1")
        await changing
        assert list(server.pipeline.lineups["llm"].chosen) == own
    assert [each.closed for each in starting] == [1, 1]


async def test_settings_that_need_a_restart_are_named(path: Path) -> None:
    """Each time, until they are as at the start; without their values. The rest is taken."""
    async with running(path) as server:
        text = f"ANTIPHON_API_KEYS={SECRET}\nANTIPHON_MAX_SESSIONS=7\nANTIPHON_TURN=recogniser\n"
        for _ in range(2):
            lines = await server.reads(text + "ANTIPHON_FILLER=One moment.\n")
            assert [line["event"] for line in lines] == [
                "settings were read again",
                "settings that changed need a restart",
            ]
            assert lines[1]["settings"] == [
                "ANTIPHON_API_KEYS",
                "ANTIPHON_MAX_SESSIONS",
                "ANTIPHON_TURN",
            ]
            assert SECRET not in str(lines)
        assert server.pipeline.speaking.courtesy.filler == "One moment."
        assert len(await server.reads("")) == 1


async def test_another_route_is_the_language_models_matter(path: Path) -> None:
    """The other stages stay as they are; prices are of the route where the cheapest is chosen."""
    two = "ANTIPHON_LLM=scripted,scripted\n"
    async with running(path, two) as server:
        for number, text in enumerate(
            (
                "ANTIPHON_ROUTE=fastest\n",
                "ANTIPHON_ROUTE=cheapest\nANTIPHON_PRICES=scripted-1.prompt_tokens=2\n",
                "ANTIPHON_ROUTE=cheapest\nANTIPHON_PRICES=scripted-1.prompt_tokens=3\n",
                "",
            ),
            2,
        ):
            await server.reads(two + text)
            assert server.versions == {"llm": number}


async def test_prices_count_from_now_on(path: Path) -> None:
    """They need no provider to change."""
    async with running(path) as server:
        await server.reads("ANTIPHON_PRICES=scripted.characters=1")
        assert server.versions == {}
        assert server.pipeline.usage.prices == {("scripted", "characters"): 1.0}


def test_a_turn_model_and_the_recogniser_do_not_take_over_from_each_other() -> None:
    """Another turn model does."""
    own = read(SCRIPTED)
    assert needing_restart(own, read({**SCRIPTED, "ANTIPHON_TURN": "smart-turn"})) == []
    recogniser = read({**SCRIPTED, "ANTIPHON_TURN": "recogniser"})
    assert needing_restart(own, recogniser) == ["ANTIPHON_TURN"]
    assert needing_restart(recogniser, own) == ["ANTIPHON_TURN"]
    assert needing_restart(Settings(), Settings(port=1)) == ["ANTIPHON_PORT"]


def test_calls_in_speech_begin_and_end_with_a_restart() -> None:
    """One model that hears and speaks takes over from another."""
    spoken = Settings(s2s="scripted")
    assert needing_restart(Settings(), spoken) == ["ANTIPHON_S2S"]
    assert needing_restart(spoken, Settings()) == ["ANTIPHON_S2S"]
    assert needing_restart(spoken, Settings(s2s="openai")) == []


class Counted(Reload):
    """Tells each time that it has read."""

    def __init__(self, server: Running, reading: Callable[[Mapping[str, str]], Settings]) -> None:
        super().__init__(server.pipeline, server.environment, reading)
        self.reads = asyncio.Semaphore(0)

    async def read(self) -> None:
        """As ever."""
        try:
            await super().read()
        finally:
            self.reads.release()


async def test_whoever_asks_while_it_is_read_has_it_read_once_more(path: Path) -> None:
    """However often; and what breaks once does not end it."""
    async with running(path) as server:
        breaks = [True]

        def reading(variables: Mapping[str, str]) -> Settings:
            if breaks:
                breaks.clear()
                raise ZeroDivisionError
            return read(variables)

        reload = Counted(server, reading)
        task = asyncio.create_task(reload.run())
        with structlog.testing.capture_logs() as logs:
            reload.ask()
            await reload.reads.acquire()
            server.writes("ANTIPHON_LLM_REPLIES=B")
            for _ in range(5):
                reload.ask()
            await reload.reads.acquire()
        task.cancel()
        assert [line["event"] for line in logs] == [
            "settings could not be taken",
            "settings were read again",
        ]
        assert server.versions == {"llm": 2}
