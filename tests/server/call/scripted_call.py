"""A whole call without a network: a client of two queues, scripted providers, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import PCM, Encoding
from antiphon_protocol.errors import AgentNotFound, InvalidWebhook
from antiphon_protocol.session_config import SessionConfig, Webhook
from antiphon_providers.interfaces import Piece, ToolUse, Used
from antiphon_providers.scripted import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedTurnModel,
    ScriptedVoiceActivity,
)
from antiphon_providers.scripted.language_model import LanguageModelScript
from antiphon_providers.scripted.speech_to_text import SpeechToTextScript
from antiphon_providers.scripted.text_to_speech import TextToSpeechScript
from antiphon_providers.scripted.tones import sine
from antiphon_providers.scripted.turn_model import TurnModelScript
from antiphon_providers.scripted.voice_activity import VoiceActivityScript
from antiphon_server.call.chronicle import Owner
from antiphon_server.call.ears import Clean, HearingServices
from antiphon_server.call.http_tools import HttpTools
from antiphon_server.call.journal import JournalFile
from antiphon_server.call.records import Recorder
from antiphon_server.call.reply import SpeakingServices
from antiphon_server.call.services import Services
from antiphon_server.call.session import Session
from antiphon_server.call.writing import Courtesy
from antiphon_server.dialects import voice_agent
from antiphon_server.dialects.call_settings import CallTimes, call_settings
from antiphon_server.dialects.wording import Terms
from antiphon_server.observe import metrics

FRAME_MS = 20

M = TypeVar("M", bound=wire.ServerMessage)


def vad(**script: Any) -> ScriptedVoiceActivity:
    """Voice activity with these options."""
    return ScriptedVoiceActivity(VoiceActivityScript(**script))


def turn(**script: Any) -> ScriptedTurnModel:
    """A turn model with these options."""
    return ScriptedTurnModel(TurnModelScript(**script))


def stt(**script: Any) -> ScriptedSpeechToText:
    """A recogniser with these options."""
    return ScriptedSpeechToText(SpeechToTextScript(**script))


def llm(**script: Any) -> ScriptedLanguageModel:
    """A language model with these options."""
    return ScriptedLanguageModel(LanguageModelScript(**script))


def tts(**script: Any) -> ScriptedTextToSpeech:
    """A voice with these options."""
    return ScriptedTextToSpeech(TextToSpeechScript(**script))


def script(*replies: Sequence[Piece]) -> ScriptedLanguageModel:
    """A language model that gives these pieces, reply after reply, and then the last again."""
    left = list(replies)
    return ScriptedLanguageModel(answer=lambda _prompt: left.pop(0) if len(left) > 1 else left[0])


def used(call_id: str, name: str = "look_up", **arguments: Any) -> Used:
    """A tool call of a model."""
    return Used(ToolUse(call_id, name, arguments))


class Stages(msgspec.Struct, frozen=True):
    """The providers of a scripted call; each may be replaced."""

    vad: Any = msgspec.field(default_factory=vad)
    turn: Any = msgspec.field(default_factory=turn)
    stt: Any = msgspec.field(default_factory=stt)
    llm: Any = msgspec.field(default_factory=llm)
    tts: Any = msgspec.field(default_factory=tts)
    s2s: Any = None
    courtesy: Courtesy = Courtesy()
    noise: Callable[[], Clean] | None = None
    recorder: Recorder | None = None
    http_tools: HttpTools | None = None
    journal: Callable[[str], JournalFile] | None = None

    def services(self) -> Services:
        """As a session takes them, on the loop's clock."""
        return Services(
            HearingServices(self.vad, self.turn, self.stt),
            SpeakingServices(self.llm, self.tts, self.courtesy),
            speech_to_speech=self.s2s,
            noise_suppression=self.noise,
            recorder=self.recorder,
            http_tools=self.http_tools,
            journal=self.journal,
            clock=asyncio.get_running_loop().time,
        )


def voiced(ms: float, encoding: Encoding = PCM) -> bytes:
    """PCM of a tone, as loud as a voice."""
    return sine(220, ms, encoding.rate)


def silent(ms: float, encoding: Encoding = PCM) -> bytes:
    """PCM of nothing."""
    return bytes(encoding.size(ms))


class Line:
    """The socket: what the client puts in, what it was sent and when (the loop's seconds)."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.received: list[tuple[float, wire.FromServer]] = []
        self.closed: int | None = None
        self.news = asyncio.Condition()
        self.reads = asyncio.Event()
        self.reads.set()
        self.gone = False
        self.confirms = True

    async def receive(self) -> str | bytes | None:
        """The next frame."""
        return await self.coming.get()

    def push(self, frame: str) -> bool:
        """Takes none without a wait."""
        del frame
        return False

    async def send(self, frame: str) -> None:
        """Takes a frame, once the client reads."""
        await self.reads.wait()
        if self.gone:
            raise ConnectionResetError
        message = codec.decode_server(frame)
        assert message is not None
        self.received.append((asyncio.get_running_loop().time(), message))
        async with self.news:
            self.news.notify_all()

    def mark(self, passed: Callable[[], None]) -> bool:
        """What was sent was taken, unless ``confirms`` is off: then nobody knows."""
        if self.confirms:
            passed()
        return True

    async def close(self, code: int) -> None:
        """The first code counts."""
        if self.closed is None:
            self.closed = code


class LoneHost:
    """The server around one session: it has one agent, room for it, and no webhooks."""

    def __init__(self) -> None:
        self.bound: voice_agent.Bound | None = None
        self.resume_tokens: list[str] = []
        self.arrived: list[str] = []

    async def bind(self, _agent_id: str) -> voice_agent.Bound:
        """The agent there is, whatever its id."""
        if self.bound is None:
            raise AgentNotFound
        return self.bound

    async def seal(self, _webhook: Webhook) -> bytes:
        """None is accepted."""
        raise InvalidWebhook("No webhooks here", "webhook")

    def admit(self, agent_id: str | None, webhook: bytes | None) -> Owner:
        """There is room."""
        return Owner("account", "key", agent_id, webhook)

    def trust(self, resume_token: str) -> Callable[[], None]:
        """The newest is last; those before it are gone once it has arrived."""
        self.resume_tokens.append(resume_token)
        return lambda: self.arrived.append(resume_token)


class Caller:
    """A client of one session."""

    def __init__(
        self, line: Line, session: Session, dialect: voice_agent.VoiceAgent, host: LoneHost
    ) -> None:
        self.line = line
        self.session = session
        self.dialect = dialect
        self.host = host
        self.running: asyncio.Task[None]
        self._reading: list[tuple[Line, asyncio.Task[None]]] = []
        self.resumes: list[wire.ResumeSession] = []
        """What asked for another session."""
        self._seen = 0

    def read(self, line: Line) -> None:
        """Gives the session what comes over a line, until it is gone."""
        reading = asyncio.get_running_loop().create_task(self._read(line), name="read")
        self._reading.append((line, reading))

    async def _read(self, line: Line) -> None:
        try:
            while (frame := await line.receive()) is not None:
                if not self.session.holds(line):
                    continue
                asked = await self.dialect.receive(frame)
                if asked is not None:
                    self.resumes.append(asked)
        except Exception:  # noqa: BLE001
            self.session.break_off()
        self.session.lost(line)

    async def hang_up(self) -> None:
        """The client is gone for good, or was hung up on."""
        self.line.reads.set()
        for line, _ in self._reading:
            line.coming.put_nowait(None)
        await self.running
        for _, reading in self._reading:
            await reading

    async def drop(self) -> Line:
        """The socket breaks; the client may come back. Returns the line that broke."""
        line, reading = self._reading[-1]
        line.gone = True
        line.coming.put_nowait(None)
        await reading
        return line

    def come_back(self, last_seq: int | None = None) -> Line:
        """The client is back on a new line, which is returned; the old one need not be gone.

        Raises what ``Session.take_over`` does.
        """
        line = Line()
        self.session.take_over(line, last_seq)
        self.line, self._seen = line, 0
        self.read(line)
        return line

    def tell(self, *messages: wire.ClientMessage) -> None:
        """Sends messages at once."""
        for message in messages:
            self.line.coming.put_nowait(codec.encode(message))

    def update(self, **session: Any) -> None:
        """Sends a ``session.update``."""
        told = {"type": "session.update", "session": session}
        self.line.coming.put_nowait(msgspec.json.encode(told).decode())

    async def bind(self, agent: voice_agent.Bound) -> None:
        """Opens the session with a stored agent."""
        self.host.bound = agent
        self.update(agent_id="agent_1")
        await self.until(wire.SessionReady)

    async def play(self, pcm: bytes) -> None:
        """Sends microphone audio at its own pace."""
        step = PCM.size(FRAME_MS)
        for at in range(0, len(pcm), step):
            self.line.coming.put_nowait(codec.encode_input_audio(pcm[at : at + step]))
            await asyncio.sleep(FRAME_MS / 1000)

    async def say(self, voice_ms: float = 900, silence_ms: float = 800) -> None:
        """Speaks and falls silent."""
        await self.play(voiced(voice_ms) + silent(silence_ms))

    async def until(self, kind: type[M]) -> M:
        """The next message of a kind, after those already waited for."""
        while True:
            while self._seen < len(self.line.received):
                message = self.line.received[self._seen][1]
                self._seen += 1
                if isinstance(message, kind):
                    return message
            async with self.line.news:
                if self._seen == len(self.line.received):
                    await self.line.news.wait()

    def heard(self, kind: type[M]) -> list[M]:
        """All messages of a kind so far."""
        return [message for _, message in self.line.received if isinstance(message, kind)]

    def when(self, kind: type[wire.ServerMessage]) -> list[float]:
        """The seconds at which messages of a kind came."""
        return [when for when, message in self.line.received if isinstance(message, kind)]

    @property
    def kinds(self) -> list[str]:
        """The types of all messages so far, runs of audio and of deltas as one."""
        tags = [str(message.__struct_config__.tag) for _, message in self.line.received]
        often = {"reply.audio", "transcript.agent.delta", "transcript.user.delta"}
        return [
            tag for at, tag in enumerate(tags) if tag not in often or at == 0 or tags[at - 1] != tag
        ]

    async def ended(self) -> int | None:
        """The close code, once the session is over."""
        await self.running
        return self.line.closed


@asynccontextmanager
async def calling(
    stages: Stages | None = None,
    *,
    timeline: bool = False,
    session_seconds: int = 10_800,
    resume_seconds: int = 0,
    **session: Any,
) -> AsyncIterator[Caller]:
    """A running session; with ``session`` fields its first update has been sent.

    At the end the client leaves; nothing of the call may be left over.
    """
    before = sessions()
    terms = Terms(
        session_seconds=session_seconds, resume_seconds=resume_seconds, tells_timeline=timeline
    )
    line = Line()
    settings = call_settings(SessionConfig(""), CallTimes(session_seconds * 1000))
    made = Session(voice_agent.session_id(), (stages or Stages()).services(), settings)
    host = LoneHost()
    dialect = voice_agent.VoiceAgent(made, terms, host)
    caller = Caller(line, made, dialect, host)
    running = made.run(dialect, line)
    caller.running = asyncio.get_running_loop().create_task(running, name="session")
    caller.read(line)
    try:
        if session:
            caller.update(**session)
            await caller.until(wire.SessionReady)
        yield caller
    except BaseException:
        await caller.hang_up()
        raise
    await caller.hang_up()
    await _nothing_left()
    assert sessions() == before


async def _nothing_left() -> None:
    """After one turn of the loop, no task but the test's own."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert {task.get_name() for task in left} == set()
    assert timers_left() == []


def timers_left() -> list[asyncio.TimerHandle]:
    """The loop's timers that will still go off."""
    scheduled: list[asyncio.TimerHandle] = vars(asyncio.get_running_loop())["_scheduled"]
    return [timer for timer in scheduled if not timer.cancelled()]


def sessions() -> float:
    """The gauge of live sessions."""
    return metrics.REGISTRY.get_sample_value("antiphon_sessions") or 0.0


def sample(name: str, **labels: str) -> float:
    """A metric's value; 0 before its first observation."""
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


async def on_their_own(condition: Callable[[], bool], until: Callable[[], Awaitable[Any]]) -> None:
    """Waits by ``until`` as often as it takes for ``condition`` to hold."""
    while not condition():
        await until()
