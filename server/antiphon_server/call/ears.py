"""Microphone audio into what was noticed in it: a voice, a pause, words, a verdict.

Audio never reaches the conversation; only events do. Time is counted in windows of audio, so
that silence means the same whether frames come on time, late or in bursts. Where they stop
coming at all, the speaker counts as having paused (protocol section 7.2).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import structlog
from msgspec import Struct

from antiphon_protocol.audio import PCM, Encoding
from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import (
    HEARING_RATE,
    HearingOptions,
    SpeechToText,
    TurnModel,
    VoiceActivity,
)
from antiphon_server.call.recognition import Recognition
from antiphon_server.call.sound import Resampler, decode
from antiphon_server.call.timeline import Timeline
from antiphon_server.conversation.vocabulary import (
    Event,
    TurnJudged,
    VoiceStarted,
    VoiceStopped,
)
from antiphon_server.observe import metrics

log = structlog.get_logger()

ONSET_MS = 96
"""Voice in a row before it counts: a click or a knock is shorter."""
HYSTERESIS = 0.15
"""A voice that counts goes on until its probability falls this far below the threshold."""
PRE_ROLL_MS = 480
"""Audio before the onset that the recogniser hears too: soft first consonants."""
TURN_MS = 8_000
"""What the turn model hears at most."""
STALL_MS = 300
"""After so long without the next frame, while somebody speaks, they count as having paused: on
top of the frame's own length, for a client may send half a second at once (section 7.2).
"""
LATE_SECONDS = 0.05
"""By which a look for the next frame may be late. If it is later, the server was busy, and frames
may have come that were not read yet: it looks again after as long, once.
"""
LONGEST_FRAME_SECONDS = 1.0
"""What is longer is no frame but a burst; nothing is said by its length."""
JUDGE_SECONDS = 0.6
"""How long the turn model may take; after that the words and the silence decide."""

Clean = Callable[[bytes], bytes]
"""Noise suppression: PCM in, PCM out, of any lengths."""


class HearingServices(Struct, frozen=True):
    """The providers that listen."""

    voice_activity: VoiceActivity
    turn_model: TurnModel | None
    """None where the recogniser's own verdict counts (``Recognised.turn_over``)."""
    speech_to_text: SpeechToText


class HearingManners(Struct, frozen=True):
    """How ears listen; may change in mid-call."""

    encoding: Encoding
    threshold: float = 0.5
    pause_ms: int = 200
    options: HearingOptions = HearingOptions()
    clean: Clean | None = None
    """Noise suppression, where it was asked for."""


class Ears:
    """One caller's microphone."""

    def __init__(
        self,
        services: HearingServices,
        manners: HearingManners,
        notice: Callable[[Event], None],
        timeline: Timeline,
    ) -> None:
        self._services = services
        self._manners = manners
        self._notice = notice
        self._timeline = timeline
        self._window_ms = services.voice_activity.window_ms
        self._window_bytes = HEARING_RATE * 2 * self._window_ms // 1000
        self._resampler = Resampler(manners.encoding.rate, HEARING_RATE, "LQ")
        self._half_sample = b""
        self._partial_window = bytearray()
        self._unjudged: deque[tuple[bytes, float]] = deque()
        self._pre_roll: deque[bytes] = deque(maxlen=PRE_ROLL_MS // self._window_ms)
        self._utterance: deque[bytes] = deque(maxlen=TURN_MS // self._window_ms)
        self._voice_on = False
        self._voiced_windows = 0
        self._silent_windows = 0
        self._voice_heard_at = 0.0
        self._frame_at = 0.0
        self._stall_seconds = STALL_MS / 1000
        self._stalled: asyncio.TimerHandle | None = None
        self._recognition = Recognition(services.speech_to_text, notice, timeline)
        self._question: asyncio.Task[None] | None = None
        self._voice = services.voice_activity.open(self._judged_window)
        self.received_seconds = 0.0

    # --- doors for the session -----------------------------------------------------------

    @property
    def recognised_seconds(self) -> float:
        """Of what the recogniser was given, up to the last pause."""
        return self._recognition.seconds

    def hear(self, raw: bytes) -> None:
        """The next audio, in the wire's encoding, of any length."""
        encoding = self._manners.encoding
        if encoding.name == PCM.name:
            raw = self._half_sample + raw
            whole = len(raw) - len(raw) % 2
            raw, self._half_sample = raw[:whole], raw[whole:]
        self._frame_at = self._timeline.now()
        seconds = encoding.ms(len(raw)) / 1000
        self.received_seconds += seconds
        self._stall_seconds = STALL_MS / 1000 + min(seconds, LONGEST_FRAME_SECONDS)
        metrics.AUDIO_IN.inc(seconds)
        samples = self._resampler.feed(decode(raw, encoding))
        clean = self._manners.clean
        pcm = samples.tobytes()
        self._take(pcm if clean is None else clean(pcm))

    def change(self, manners: HearingManners) -> None:
        """New manners; those that only a recogniser can know count from its next opening."""
        self._manners = manners

    def ask_if_done(self) -> None:
        """Asks the recogniser for its final words and the turn model for its verdict."""
        own_verdict = self._recognition.ask()
        # A verdict on an earlier pause says nothing about this one.
        self._drop_question()
        work = self._judge(b"".join(self._utterance), own_verdict)
        self._question = asyncio.get_running_loop().create_task(work, name="judge")

    def forget(self) -> None:
        """The utterance is over; a voice that is still on begins the next one."""
        self._recognition.forget()
        self._utterance.clear()
        self._drop_question()
        if self._voice_on:
            self._notice(VoiceStarted())

    def hush(self) -> None:
        """No frames come until the client is back: whoever spoke has stopped."""
        self._voice_on, self._voiced_windows, self._silent_windows = False, 0, 0
        self._half_sample = b""
        self._pre_roll.clear()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def close(self) -> None:
        """Hears nothing any more."""
        self._voice.close()
        if self._stalled is not None:
            self._stalled.cancel()
        self._drop_question()

    async def run(self) -> None:
        """Listens to the recogniser until cancelled; opens it again when it breaks off."""
        await self._recognition.run(lambda: self._manners.options)

    # --- windows -------------------------------------------------------------------------

    def _take(self, pcm: bytes) -> None:
        self._partial_window += pcm
        while len(self._partial_window) >= self._window_bytes:
            window = bytes(self._partial_window[: self._window_bytes])
            del self._partial_window[: self._window_bytes]
            self._unjudged.append((window, self._frame_at))
            self._voice.feed(window)

    def _judged_window(self, probability: float) -> None:
        """The next window's probability of speech came."""
        window, arrived = self._unjudged.popleft()
        if self._voice_on:
            self._voiced(window, arrived, probability)
        else:
            self._unvoiced(window, arrived, probability)

    def _unvoiced(self, window: bytes, arrived: float, probability: float) -> None:
        self._pre_roll.append(window)
        if self._utterance:
            self._utterance.append(window)
        if probability < self._manners.threshold:
            self._voiced_windows = 0
            return
        self._voiced_windows += 1
        self._voice_heard_at = arrived
        if self._voiced_windows * self._window_ms < ONSET_MS:
            return
        self._voice_on, self._voiced_windows, self._silent_windows = True, 0, 0
        if not self._utterance:
            self._utterance.extend(self._pre_roll)
        for earlier in self._pre_roll:
            self._recognition.feed(earlier)
        self._pre_roll.clear()
        self._watch_for_stall()
        self._notice(VoiceStarted())

    def _voiced(self, window: bytes, arrived: float, probability: float) -> None:
        self._recognition.feed(window)
        self._utterance.append(window)
        if probability >= self._manners.threshold - HYSTERESIS:
            self._silent_windows = 0
            self._voice_heard_at = arrived
            return
        self._silent_windows += 1
        if self._silent_windows >= self._pause_windows:
            self._fall_silent(self._timeline.now() - arrived)

    @property
    def _pause_windows(self) -> int:
        return round(self._manners.pause_ms / self._window_ms)

    def _fall_silent(self, judged_after: float) -> None:
        self._voice_on = False
        self._timeline.paused(self._voice_heard_at, judged_after)
        self._notice(VoiceStopped())

    def _watch_for_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        loop = asyncio.get_running_loop()
        due = loop.time() + self._stall_seconds
        self._stalled = loop.call_at(due, self._check_for_stall, due)

    def _check_for_stall(self, due: float | None) -> None:
        if not self._voice_on:
            return
        if self._timeline.now() - self._frame_at < self._stall_seconds:
            self._watch_for_stall()
            return
        loop = asyncio.get_running_loop()
        if due is not None and loop.time() - due > LATE_SECONDS:
            self._stalled = loop.call_later(LATE_SECONDS, self._check_for_stall, None)
            return
        # The turn model knows an end by the silence after it. The recogniser gets none: if the
        # frames were only late, a hole would be torn into a word.
        self._utterance.extend([bytes(self._window_bytes)] * self._pause_windows)
        self._fall_silent(0.0)

    # --- the turn model ------------------------------------------------------------------

    def _drop_question(self) -> None:
        if self._question is not None:
            self._question.cancel()
            self._question = None

    async def _judge(self, pcm: bytes, own_verdict: asyncio.Future[float]) -> None:
        model = self._services.turn_model
        judge = self._services.speech_to_text.name if model is None else model.name
        probability = None
        try:
            async with asyncio.timeout(JUDGE_SECONDS):
                judging = own_verdict if model is None else model.judge(pcm)
                probability = await judging
        except (ProviderError, TimeoutError) as failure:
            code = failure.code if isinstance(failure, ProviderError) else "provider_timeout"
            metrics.PROVIDER_ERRORS.labels("turn_model", judge, code).inc()
        except Exception:
            # The words and the silence decide, whatever went wrong.
            log.exception("turn model broke", provider=judge)
        self._timeline.judged()
        self._notice(TurnJudged(probability))
