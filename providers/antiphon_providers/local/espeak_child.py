"""The program that speaks with espeak-ng: ``python -m antiphon_providers.local.espeak_child``.

espeak-ng is under the GPL, so it is never loaded into the server: this program of its own loads
it, and the two exchange text and sound over pipes.

Both ways, a message is one letter for its kind, a number (which utterance) and a length, each
four bytes big-endian, and as many bytes:

- in: ``S`` say (JSON of ``Order``), ``X`` stop; the end of the input ends the program
- out: ``R`` ready (number: samples per second), ``W`` words (JSON, letters and milliseconds),
  ``P`` int16 mono PCM, ``E`` the utterance ends, ``F`` it failed (text)

This module imports the standard library and msgspec only.
"""

from __future__ import annotations

import ctypes
import queue
import struct
import sys
import threading
from pathlib import Path
from typing import IO, Any, BinaryIO

import msgspec

HEAD = struct.Struct(">cII")
"""Kind, number, length."""

_SYNCHRONOUS = 2
_BUFFER_MS = 40
_UTF8 = 1
_EVENT_END = 0
_EVENT_WORD = 1
_RATE, _PITCH = 1, 3
_STOP, _CONTINUE = 1, 0


class Order(msgspec.Struct, frozen=True):
    """What to say and how: ``voice`` by espeak-ng's name, words per minute, pitch 0 to 100."""

    text: str
    voice: str
    words_per_minute: int
    pitch: int


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_uint64),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class Engine:
    """espeak-ng, loaded. Raises ``OSError`` where it is missing or does not begin."""

    def __init__(self, library: Path, data: Path, out: BinaryIO) -> None:
        self._library = ctypes.CDLL(str(library))
        self._out = out
        self._number = 0
        self.stopped: set[int] = set()
        # Must live as long as the library calls it.
        self._callback = _Callback(self._sounded)
        self.rate = self._library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, str(data).encode(), 0)
        if self.rate <= 0:
            raise OSError("espeak-ng does not begin")
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_Synth.argtypes = (
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint,
            ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        )  # fmt: skip

    def say(self, number: int, order: Order) -> None:
        """Speaks; the sound goes out as it is made."""
        self._number = number
        if self._library.espeak_SetVoiceByName(order.voice.encode()):
            self.send(b"F", number, f"espeak-ng has no voice '{order.voice}'".encode())
            return
        self._library.espeak_SetParameter(_RATE, order.words_per_minute, 0)
        self._library.espeak_SetParameter(_PITCH, order.pitch, 0)
        text = order.text.encode()
        error = self._library.espeak_Synth(text, len(text) + 1, 0, 1, 0, _UTF8, None, None)
        if error:
            self.send(b"F", number, f"espeak-ng failed ({error})".encode())
        else:
            self.send(b"E", number)

    def send(self, kind: bytes, number: int, content: bytes = b"") -> None:
        """Writes a message."""
        self._out.write(HEAD.pack(kind, number, len(content)) + content)
        self._out.flush()

    def _sounded(self, samples: int | None, count: int, events: Any) -> int:
        words = []
        for event in events:
            if event.type == _EVENT_END:
                break
            if event.type == _EVENT_WORD:
                words.append((event.text_position - 1, event.audio_position))
        if self._number in self.stopped:
            return _STOP
        if words:
            self.send(b"W", self._number, msgspec.json.encode(words))
        if samples and count:
            self.send(b"P", self._number, ctypes.string_at(samples, count * 2))
        return _CONTINUE


def read(stream: IO[bytes]) -> tuple[bytes, int, bytes] | None:
    """The next message; None at the end."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    kind, number, length = HEAD.unpack(head)
    return kind, number, stream.read(length)


def main() -> int:
    """Speaks what comes in until the input ends; the arguments are library and data folder."""
    library, data = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        engine = Engine(library, data, sys.stdout.buffer)
    except OSError as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    engine.send(b"R", engine.rate)
    orders: queue.SimpleQueue[tuple[int, Order] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(engine, orders), daemon=True).start()
    while (order := orders.get()) is not None:
        if order[0] not in engine.stopped:
            engine.say(*order)
        engine.stopped.discard(order[0])
    return 0


def _listen(engine: Engine, orders: queue.SimpleQueue[tuple[int, Order] | None]) -> None:
    while (message := read(sys.stdin.buffer)) is not None:
        kind, number, content = message
        if kind == b"X":
            engine.stopped.add(number)
        else:
            orders.put((number, msgspec.json.decode(content, type=Order)))
    orders.put(None)


if __name__ == "__main__":
    sys.exit(main())
