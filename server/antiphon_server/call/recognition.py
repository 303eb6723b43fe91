"""The recogniser of a caller's ears: what it is fed, what it says, and what when it breaks off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import (
    HEARING_RATE,
    HearingOptions,
    Recognised,
    SpeechStream,
    SpeechToText,
)
from antiphon_providers.resilience.unanswered import Unanswered
from antiphon_server.call.timeline import Timeline
from antiphon_server.call.words import Words
from antiphon_server.conversation.vocabulary import (
    Event,
    HearingFailed,
    SessionFailed,
    WordsHeard,
)
from antiphon_server.observe import metrics

log = structlog.get_logger()

REOPEN_SECONDS = (0.2, 1.0, 3.0)
"""Pauses before the recogniser is opened again; when they are used up the session fails."""

_BYTES_PER_SECOND = 2 * HEARING_RATE


class Recognition:
    """One caller's recogniser.

    What is said while it is being opened is kept, the last 30 s of it, and told to it then.
    """

    def __init__(
        self, recogniser: SpeechToText, notice: Callable[[Event], None], timeline: Timeline
    ) -> None:
        self.seconds = 0.0
        """Of what the recogniser was given, up to the last pause."""
        self._recogniser = recogniser
        self._notice = notice
        self._timeline = timeline
        self._words = Words()
        self._stream: SpeechStream | None = None
        self._opening = False
        self._unheard = Unanswered()
        """What was said since there was no stream."""
        self._fed = False
        self._fed_bytes = 0
        self._verdict: asyncio.Future[float] | None = None
        """Its own on the turn, where it is asked for one."""

    async def run(self, options: Callable[[], HearingOptions]) -> None:
        """Listens until cancelled; opens the recogniser again when it breaks off."""
        failures = 0
        while True:
            self._opening = True
            try:
                async with self._recogniser.open(options()) as stream:
                    self._opened(stream)
                    async for result in stream:
                        failures = 0
                        self._recognised(result)
                raise Unavailable("the recogniser ended", provider=self._recogniser.name)
            except ProviderError as failure:
                name = self._recogniser.name
                metrics.PROVIDER_ERRORS.labels("speech_to_text", name, failure.code).inc()
                log.warning("recogniser broke off", provider=name, error=failure.message)
                self._stream, self._opening = None, False
                self._lose()
                self._notice(HearingFailed())
                if failures == len(REOPEN_SECONDS) or not failure.retryable:
                    self._notice(SessionFailed())
                    return
                await asyncio.sleep(REOPEN_SECONDS[failures])
                failures += 1

    def feed(self, pcm: bytes) -> None:
        """The next of what is said."""
        (self._stream or self._unheard).feed(pcm)
        self._fed = True
        self._fed_bytes += len(pcm)

    def ask(self) -> asyncio.Future[float]:
        """Asks for the final words; where it has an opinion whether the turn is over, that."""
        self._verdict = asyncio.get_running_loop().create_future()
        self._flush()
        return self._verdict

    def forget(self) -> None:
        """The utterance is over; what is fed from now on is another one."""
        if self._fed:
            self._flush()
        self._words.forget()

    def _flush(self) -> None:
        self.seconds += self._fed_bytes / _BYTES_PER_SECOND
        self._fed_bytes = 0
        self._words.flushed()
        self._fed = False
        if self._stream is not None:
            self._stream.flush()
        elif self._opening:
            self._unheard.flush(self._timeline.now())
        elif self._words.text:
            # Nobody listens: there will be no words but those that are known.
            self._recognised(Recognised("", flushed=True))
        else:
            self._lose()
            self._notice(HearingFailed())

    def _opened(self, stream: SpeechStream) -> None:
        """It listens: first to what was said so far."""
        self._unheard.replay(stream)
        self._stream, self._opening = stream, False
        self._unheard = Unanswered()

    def _lose(self) -> None:
        """There will be no words of what was said so far."""
        self._words.lost()
        self._unheard = Unanswered()
        self._fed = False

    def _recognised(self, result: Recognised) -> None:
        if not self._words.recognised(result.text, flushed=result.flushed):
            return
        verdict = self._verdict
        if verdict is not None and result.turn_over is not None and not verdict.done():
            verdict.set_result(result.turn_over)
        if self._words.settled:
            self._timeline.settled()
        self._notice(WordsHeard(self._words.text, settled=self._words.settled))
