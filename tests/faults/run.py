"""One call while a vendor fails: three turns, the fault before the second one or before all."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import replace
from structlog.testing import capture_logs

from antiphon_providers.interfaces import Said
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.language_model import ResilientLanguageModel
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.speech_to_text import ResilientSpeechToText
from antiphon_providers.resilience.swap import (
    SwappableLanguageModel,
    SwappableSpeechToText,
    SwappableTextToSpeech,
)
from antiphon_providers.resilience.text_to_speech import ResilientTextToSpeech
from antiphon_providers.scripted import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
)
from antiphon_providers.scripted.language_model import LanguageModelScript
from antiphon_providers.scripted.speech_to_text import SpeechToTextScript
from antiphon_providers.scripted.text_to_speech import TextToSpeechScript
from antiphon_server.call.writing import Courtesy
from faults import spelling
from faults.network import NetworkLoop
from faults.scene import APOLOGY, Scene, Turn, calling
from faults.vendors import VENDORS, Stage
from faults.weather import Fault, Weather
from providers.resilience.witness import Witness, now
from server.call.scripted_call import Stages

STANDBY_HEARD = "the second one heard this"
STANDBY_SAID = "The second model says that instead. It is glad to help."
_SHAPES: dict[str, tuple[Any, Any]] = {
    "stt": (ResilientSpeechToText, SwappableSpeechToText),
    "llm": (ResilientLanguageModel, SwappableLanguageModel),
    "tts": (ResilientTextToSpeech, SwappableTextToSpeech),
}


class Case(Struct, frozen=True):
    """One cell of the matrix, and a seed."""

    stage: Stage
    fault: Fault
    seed: int = 0
    alone: bool = False
    """Without a standby."""

    @property
    def vendor(self) -> str:
        """Whose adapter is the primary."""
        names = list(VENDORS[self.stage])
        return names[self.seed % len(names)]

    @property
    def before_the_call(self) -> bool:
        """Whether the fault is there before the call; or else it comes after the first turn."""
        return self.seed in {0, 3}


class Outcome(Struct):
    """What came of a call."""

    case: Case
    turns: list[Turn]
    failures: list[tuple[float, str, str]]
    """Of the stage: when, who, and how it is called."""
    served: list[tuple[float, str]]
    """When whom gave the first of something."""
    attempts: list[float]
    """When the primary was connected to, since the fault."""
    logs: list[str] = field(default_factory=list)
    closed: int | None = None


class _Diary(Witness):
    """Also when somebody began."""

    def __init__(self) -> None:
        super().__init__()
        self.began_at: list[tuple[float, str]] = []

    def began(self, provider: str, seconds: float) -> None:
        """The first useful piece came."""
        del seconds
        self.began_at.append((now(), provider))


def play(case: Case) -> Outcome:
    """The call, in virtual time."""
    with capture_logs() as logs, asyncio.Runner(loop_factory=lambda: NetworkLoop(600)) as runner:
        outcome = runner.run(_play(case))
    outcome.logs = [str(log) for log in logs if log["log_level"] in {"error", "critical"}]
    return outcome


async def _play(case: Case) -> Outcome:
    diary = _Diary()
    async with AsyncExitStack() as stack:
        provider, url = await stack.enter_async_context(VENDORS[case.stage][case.vendor]())
        port = urlsplit(url).port
        assert port is not None
        loop: Any = asyncio.get_running_loop()
        weather = Weather(loop.network, port, f"{case.stage} {case.fault} {case.seed}")
        stages = _stages(case, provider, diary)
        served: Any = getattr(stages, case.stage)
        await served.start()
        stack.push_async_callback(served.close)
        if case.before_the_call:
            weather.befall(case.fault)
        began = now()
        caller = await stack.enter_async_context(calling(stages))
        scene = Scene(caller)
        turns = [await scene.opening(faulty=case.before_the_call)]
        for number in range(4):
            if number == 1 and not case.before_the_call:
                weather.befall(case.fault)
                began = now()
            turn = await scene.turn(faulty=weather.fault is not None)
            turns += [] if turn is None else [turn]
            if number == 2:
                weather.clear()
                await asyncio.sleep(1)
        await scene.end()
        attempts = [at for at in weather.attempts if at >= began]
        failures = [(at, *one) for at, one in zip(diary.failed_at, diary.failures, strict=True)]
        return Outcome(case, turns, failures, diary.began_at, attempts, closed=caller.line.closed)


def _stages(case: Case, provider: Any, diary: _Diary) -> Stages:
    standby: dict[str, Any] = {
        "stt": ScriptedSpeechToText(
            SpeechToTextScript(utterances=STANDBY_HEARD, final_ms=150),
        ),
        "llm": ScriptedLanguageModel(
            LanguageModelScript(first_token_ms=300, per_token_ms=20),
            answer=lambda _prompt: [Said(f"{word} ") for word in STANDBY_SAID.split()],
        ),
        "tts": ScriptedTextToSpeech(
            TextToSpeechScript(first_sound_ms=150, ms_per_character=40),
            sing=lambda sentence: spelling.sung(sentence, by=spelling.SECOND),
        ),
    }
    policy = Policy()
    providers = [provider] if case.alone else [provider, standby[case.stage]]
    names = ("primary", "standby")
    candidates = [
        Candidate(one, policy, name=name) for one, name in zip(providers, names, strict=False)
    ]
    resilient, swappable = _SHAPES[case.stage]
    made = swappable(resilient(candidates, policy, diary, now))
    return replace(Stages(**standby, courtesy=Courtesy(apology=APOLOGY)), **{case.stage: made})
