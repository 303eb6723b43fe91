"""The providers of a simulated call: scripted ones, driven by the call's plan."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from typing import Any

from antiphon_providers.interfaces import Message, Prompt, Said, Spent, ToolUse, Used
from antiphon_providers.scripted import (
    Fault,
    ScriptedLanguageModel,
    ScriptedSpeechToSpeech,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedTurnModel,
    ScriptedVoiceActivity,
)
from antiphon_providers.scripted.language_model import LanguageModelScript
from antiphon_providers.scripted.speech_to_speech import SpeechToSpeechScript
from antiphon_providers.scripted.speech_to_text import SpeechToTextScript
from antiphon_providers.scripted.text_to_speech import TextToSpeechScript
from antiphon_providers.scripted.turn_model import TurnModelScript
from antiphon_server.call.ears import HearingServices
from antiphon_server.call.http_tools import HttpTarget, HttpTools, ToolOutcome
from antiphon_server.call.reply import SpeakingServices
from simulation import words
from simulation.plan import Plan

Piece = Said | Used | Spent
BAD_ARGUMENTS: tuple[dict[str, Any], ...] = ({"n": "many"}, {}, {"n": 1, "other": 2}, {"n": None})


class Answer:
    """What the model was asked, and what it said to that."""

    def __init__(self, prompt: Prompt, at: float) -> None:
        self.prompt = prompt
        self.at = at
        self.words: list[str] = []
        self.stops: set[int] = set()
        """Which of its words end a sentence."""
        self.uses: list[ToolUse] = []


class Mind:
    """What the model of a call says: words that are each said once, calls of tools."""

    def __init__(self, plan: Plan, asked: Callable[[Answer], None]) -> None:
        self._plan = plan.providers
        self._dice = random.Random(f"{plan.seed} mind")  # noqa: S311
        self._asked = asked
        self._said = 0
        self._called = 0
        self.spent = [0, 0]
        """Tokens of prompts and of completions that were told."""

    def answer(self, prompt: Prompt) -> Iterator[Piece]:
        """The pieces of one reply."""
        answer = Answer(prompt, asyncio.get_running_loop().time())
        self._asked(answer)
        # Decided before the first piece, so that a reply that is cut short changes no other.
        pieces = list(self._pieces(prompt, answer))
        for piece in pieces:
            if isinstance(piece, Spent):
                self.spent[0] += piece.prompt_tokens
                self.spent[1] += piece.completion_tokens
            yield piece

    def _pieces(self, prompt: Prompt, answer: Answer) -> Iterator[Piece]:
        dice, plan = self._dice, self._plan
        if dice.random() < plan.talks_nonsense:
            yield from self._nonsense(prompt, answer)
        elif prompt.tools and dice.random() < self._eagerness(prompt.messages):
            yield from self._sentences(answer, dice.choice((0, 0, 0, 1, 2)))
            for _ in range(dice.choice((1, 1, 1, 2, 3))):
                yield self._call(prompt, answer)
        else:
            yield from self._sentences(answer, dice.choice((1, 1, 2, 3)))
        yield Spent(len(prompt.messages), len(answer.words))

    def _eagerness(self, messages: tuple[Message, ...]) -> float:
        """A model that has just got a result calls another tool less often."""
        eager = self._plan.calls_tools
        return eager / 2 if messages[-1].role == "tool" else eager

    def _sentences(self, answer: Answer, count: int) -> Iterator[Said]:
        for _ in range(count):
            length = self._dice.randint(2, 9)
            for number in range(length):
                word = f"a{self._said}"
                self._said += 1
                if number == length - 1:
                    answer.stops.add(len(answer.words))
                answer.words.append(word)
                yield Said(f"{word}. " if number == length - 1 else f"{word} ")

    def _call(self, prompt: Prompt, answer: Answer) -> Used:
        self._called += 1
        name = self._dice.choice(prompt.tools).name
        use = ToolUse(f"call_{self._called}", name, {"n": self._called})
        answer.uses.append(use)
        return Used(use)

    def _nonsense(self, prompt: Prompt, answer: Answer) -> Iterator[Piece]:
        kind = self._dice.randrange(5)
        if kind < 2 and self._dice.random() < 0.4:
            yield from self._sentences(answer, 1)
        self._called += 1
        call_id = f"call_{self._called}"
        if kind == 0 and prompt.tools:
            wrong = self._dice.choice(BAD_ARGUMENTS)
            yield Used(ToolUse(call_id, prompt.tools[0].name, wrong))
        elif kind == 1:
            yield Used(ToolUse(call_id, "no_such_tool", {"n": 1}))
        elif kind == 2:
            yield Said("  \n ")
        elif kind == 3:
            yield from self._sentences(answer, 8)


class Twins:
    """The five providers, or six, and what they were asked to do."""

    def __init__(self, plan: Plan, asked: Callable[[Answer], None]) -> None:
        speed = plan.providers
        dice = random.Random(f"{plan.seed} verdicts")  # noqa: S311
        self.mind = Mind(plan, asked)
        self.vad = ScriptedVoiceActivity()
        self.turn = ScriptedTurnModel(
            TurnModelScript(delay_ms=speed.judge_ms),
            judge=lambda _pcm: dice.choice(speed.verdicts),
        )
        self.stt = ScriptedSpeechToText(
            SpeechToTextScript(ms_per_word=words.WORD_MS, final_ms=speed.final_ms),
            hear=words.heard,
        )
        self.llm = ScriptedLanguageModel(
            LanguageModelScript(
                first_token_ms=speed.first_token_ms, per_token_ms=speed.per_token_ms
            ),
            answer=self.mind.answer,
        )
        self.tts = ScriptedTextToSpeech(
            TextToSpeechScript(
                ms_per_character=speed.ms_per_character,
                chunk_ms=200,
                first_sound_ms=speed.first_sound_ms,
                word_times=speed.word_times,
            )
        )

        self.s2s: ScriptedSpeechToSpeech | None = None
        if speed.whole_turns:
            self.s2s = ScriptedSpeechToSpeech(
                SpeechToSpeechScript(
                    ms_per_word=words.WORD_MS,
                    final_ms=speed.final_ms,
                    first_sound_ms=speed.first_token_ms + speed.first_sound_ms,
                    ms_per_character=speed.ms_per_character,
                    chunk_ms=200,
                    real_time_factor=speed.real_time_factor,
                    word_times=speed.word_times,
                ),
                hear=words.heard,
                answer=self.mind.answer,
            )

    @property
    def hearing(self) -> HearingServices:
        """The ears' share."""
        return HearingServices(self.vad, self.turn, self.stt)

    @property
    def speaking(self) -> SpeakingServices:
        """The mouth's share."""
        return SpeakingServices(self.llm, self.tts)

    def befall(self, stage: str, fault: str) -> None:
        """A provider fails from now on."""
        desks = {} if self.s2s is None else {"stt": self.s2s.desk, "llm": self.s2s.replies}
        desks.get(stage, getattr(self, stage).desk).fault = Fault.parse(fault)

    def left_open(self) -> list[str]:
        """The stages that have streams which nobody closed."""
        stages = ("vad", "turn", "stt", "llm", "tts")
        left = [stage for stage in stages if getattr(self, stage).desk.active]
        model = self.s2s
        if model is not None and (model.desk.active or model.replies.active):
            left.append("s2s")
        return left


class HttpTwin(HttpTools):
    """Tools with an address, without a network."""

    def __init__(self, plan: Plan) -> None:
        self._dice = random.Random(f"{plan.seed} http")  # noqa: S311
        self.outcomes: list[str] = []

    async def run(
        self, target: HttpTarget, arguments: dict[str, Any], timeout_s: float = 10.0
    ) -> ToolOutcome:
        """An answer that is told from all others, or a failure, within ``timeout_s``."""
        del target
        seconds = self._dice.choice((0.05, 0.4, 1.5, 4.0, 30.0))
        await asyncio.sleep(min(seconds, timeout_s))
        result = f"result-of-{arguments['n']}-by-http"
        self.outcomes.append(result)
        return ToolOutcome(result, is_error=seconds > timeout_s)
