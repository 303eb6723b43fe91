"""Text to speech by espeak-ng, in a process of its own.

A robot's voice, which installs with pip alone and speaks within a millisecond. espeak-ng is under
the GPL: only ``espeak_child``, another program, loads it; it is started once, serves all calls in
turn (4 ms a sentence), and is started anew if it dies.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from antiphon_providers.errors import NotInstalled, Unavailable
from antiphon_providers.interfaces import Sound, VoiceOptions, Word
from antiphon_providers.local.espeak_child import HEAD, Order
from antiphon_providers.local.silence import SilenceCut
from antiphon_providers.local.speakable import SpokenWord, spoken_words
from antiphon_providers.local.voice_catalogue import Voice, voice_named
from antiphon_providers.utterance import Chunk, Utterance, in_turn

_START_S = 10.0
_RATE = 22_050
_WORDS_PER_MINUTE = 165
_MIDDLE_PITCH = 50
_CHILD = ("-P", "-m", "antiphon_providers.local.espeak_child")
_WORDS = msgspec.json.Decoder(list[tuple[int, int]])


class EspeakOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be set of the voice."""

    pace: Annotated[
        float, Meta(ge=0.5, le=2, description="Of all voices: 1.2 is a fifth faster.")
    ] = 1.0


class Espeak:
    """espeak-ng's English voices under the names of the catalogue."""

    Options = EspeakOptions
    name = "espeak"
    rate = _RATE

    def __init__(self, options: EspeakOptions | None = None) -> None:
        self.options = options or EspeakOptions()
        self._child: _Child | None = None
        self._running = False
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Starts the program. Raises ``NotInstalled`` or ``Unavailable``."""
        self._running = True
        await self._alive()

    async def close(self) -> None:
        """Ends the program; what is being spoken fails with ``Unavailable``."""
        self._running = False
        child, self._child = self._child, None
        if child is not None:
            await child.close()

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, with the times of their words.

        Raises ``Refused`` for a voice that is not in the catalogue, ``Unavailable`` when the
        program has died, or was not started.
        """
        voice = voice_named(options.voice, self.name)
        child = await self._alive()

        def say(sentence: str) -> Utterance:
            return child.say(self._order(sentence, voice), sentence)

        async with aclosing(in_turn(sentences, say)) as sounds:
            async for sound in sounds:
                yield sound

    @property
    def process_id(self) -> int | None:
        """Of the program; None where there is none."""
        return self._child.process_id if self._child else None

    async def _alive(self) -> _Child:
        """The program, started anew if it has died. Raises ``ProviderError``."""
        async with self._starting:
            if not self._running:
                raise Unavailable("the voice is not running", provider=self.name)
            if self._child is None or self._child.is_dead:
                self._child = await _Child.start()
            return self._child

    def _order(self, sentence: str, voice: Voice) -> Order:
        text = " ".join(word.said for word in spoken_words(sentence) if word.said)
        pace = voice.pace * self.options.pace
        # The voices of espeak-ng differ less than those of people: their pitch is spread.
        pitch = round(_MIDDLE_PITCH * (1 + 2 * (voice.pitch - 1)))
        return Order(text, _espeak_name(voice), round(_WORDS_PER_MINUTE * pace), pitch)


def _espeak_name(voice: Voice) -> str:
    if voice.is_female:
        return "en-us+f3"
    return "en-gb-scotland" if voice.speaker == "awb" else "en-us"


class _Child:
    """The running program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count()
        self._spoken: dict[int, _Speech] = {}
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._listener = asyncio.create_task(self._listen())
        self.is_dead = False

    @classmethod
    async def start(cls) -> _Child:
        """Raises ``NotInstalled``, ``Unavailable``."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *_CHILD,
            *map(str, library_and_data()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Secrets of the server are none of its business.
            env={name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        )
        child = cls(process)
        try:
            async with asyncio.timeout(_START_S):
                await child._ready
        except TimeoutError:
            await child.close()
            raise Unavailable("espeak-ng does not start", provider="espeak") from None
        return child

    @property
    def process_id(self) -> int:
        """Of the program."""
        return self._process.pid

    def say(self, order: Order, sentence: str) -> Utterance:
        """Begins a sentence."""
        utterance = Utterance()
        number = next(self._numbers)
        speech = _Speech(utterance, spoken_words(sentence))
        if not order.text:
            speech.end()
            return utterance
        if self.is_dead:
            utterance.fail(_died())
            return utterance
        self._spoken[number] = speech
        utterance.stops_with(lambda: self._send(b"X", number))
        self._send(b"S", number, msgspec.json.encode(order))
        return utterance

    async def close(self) -> None:
        """Ends the program."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if not self.is_dead:
            with suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        await self._listener

    def _send(self, kind: bytes, number: int, content: bytes = b"") -> None:
        if self._process.stdin is not None and not self.is_dead:
            self._process.stdin.write(HEAD.pack(kind, number, len(content)) + content)

    async def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for.
        try:
            while True:
                head = await self._process.stdout.readexactly(HEAD.size)
                kind, number, length = HEAD.unpack(head)
                self._heard(kind, number, await self._process.stdout.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.is_dead = True
        if not self._ready.done():
            self._ready.set_exception(_died())
        for speech in self._spoken.values():
            speech.utterance.fail(_died())
        self._spoken.clear()

    def _heard(self, kind: bytes, number: int, content: bytes) -> None:
        if kind == b"R":
            self._ready.set_result(None)
            return
        speech = self._spoken.get(number)
        if speech is None:
            return
        if kind == b"W":
            speech.words(_WORDS.decode(content))
        elif kind == b"P":
            speech.sound(content)
        else:
            del self._spoken[number]
            if kind == b"E":
                speech.end()
            else:
                failure = Unavailable(content.decode("utf-8", "replace"), provider="espeak")
                speech.utterance.fail(failure)


class _Speech:
    """One sentence as it comes out of the program."""

    def __init__(self, utterance: Utterance, words: list[SpokenWord]) -> None:
        self.utterance = utterance
        self._words = words
        self._begins_ms: dict[int, int] = {}
        self._silence = SilenceCut(_RATE)
        self._sent = 0

    def words(self, begins: list[tuple[int, int]]) -> None:
        """Words begin: which letter of the text, how many milliseconds after its begin."""
        self._begins_ms.update(begins)

    def sound(self, pcm: bytes) -> None:
        """The next sound."""
        kept = self._silence.kept(pcm)
        if kept:
            self._sent += len(kept)
            self.utterance.put(Chunk(kept))

    def end(self) -> None:
        """There is no more; now the words' times are known."""
        rest = self._silence.rest()
        audible_ms = round(self._sent / 2 * 1000 / _RATE)
        self.utterance.put(Chunk(rest, tuple(self._timed(audible_ms)), ends=True))

    def _timed(self, audible_ms: int) -> list[Word]:
        """All words. Of some, as "it was", espeak-ng tells one begin: they share the time until
        the next. Words that are not said take none.
        """
        cut_ms = round(self._silence.cut_bytes / 2 * 1000 / _RATE)
        groups: list[tuple[int, list[SpokenWord]]] = [(0, [])]
        letter = 0
        for word in self._words:
            known_ms = self._begins_ms.get(letter) if word.said else None
            if known_ms is not None:
                begins_ms = min(max(known_ms - cut_ms, groups[-1][0]), audible_ms)
                groups.append((begins_ms, []))
            groups[-1][1].append(word)
            letter += len(word.said) + 1 if word.said else 0
        ends = [*(begins_ms for begins_ms, _ in groups[1:]), audible_ms]
        return [
            word
            for (begins_ms, group), ends_ms in zip(groups, ends, strict=True)
            for word in _spread(group, begins_ms, ends_ms)
        ]


def _spread(group: list[SpokenWord], begins_ms: int, ends_ms: int) -> list[Word]:
    """Words that share a time, by their length."""
    letters = sum(len(word.said) for word in group) or 1
    words, passed, now_ms = [], 0, begins_ms
    for word in group:
        passed += len(word.said)
        end_ms = begins_ms + round((ends_ms - begins_ms) * passed / letters)
        words.append(Word(word.written, now_ms, end_ms))
        now_ms = end_ms
    return words


def library_and_data() -> tuple[Path, Path]:
    """Where the package keeps them; it is not imported. Raises ``NotInstalled``."""
    package = find_spec("espeakng_loader")
    if package is None or package.origin is None:
        raise NotInstalled("pip install espeakng-loader", provider="espeak")
    folder = Path(package.origin).parent
    names = {"darwin": "libespeak-ng.dylib", "win32": "espeak-ng.dll"}
    return folder / names.get(sys.platform, "libespeak-ng.so"), folder / "espeak-ng-data"


def _died() -> Unavailable:
    return Unavailable("espeak-ng has died", provider="espeak")
