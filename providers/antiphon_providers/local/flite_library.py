"""The speech synthesiser flite by its C interface.

flite (CMU, BSD-like licence) is not a Python package. Its libraries are looked for

1. in the folder that ``ANTIPHON_FLITE_DIR`` names,
2. below ``lib/flite`` of the Python environment, where the set-up unpacks them,
3. where the system keeps its libraries (Debian: ``apt-get install libflite1``).

Structures and functions are those of version 2.2 (``flite.h``, ``cst_audio.h``,
``cst_voice.h``). A voice is one object in the whole process, and what it is to do (pitch, pace,
where the sound goes) is set on that object: one lock for each voice.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from antiphon_providers.errors import NotInstalled
from antiphon_providers.local.voice_catalogue import Speaker

RATE = 16_000
"""Samples per second of all its voices."""

_CORE = ("libflite.so.1", "libflite_cmulex.so.1", "libflite_usenglish.so.1")
_STOP, _CONTINUE = -1, 0
_SMALLEST_CHUNK = RATE // 50

_FIRST_PHONE = b"daughter1.R:SylStructure.daughter1.daughter1.R:Segment.p.end"
_LAST_PHONE = b"daughtern.R:SylStructure.daughtern.daughtern.R:Segment.end"
"""From a token to the end of the phone before it, and to the end of its last phone."""


class TokenTime(NamedTuple):
    """A white-space separated part of the text, and when it sounds, in seconds."""

    begins_s: float
    ends_s: float


TokenTimes = Callable[[], list[TokenTime]]
"""Gives the times of all tokens of the text."""

Listener = Callable[[bytes, TokenTimes], bool]
"""Called with the next PCM (int16 mono) and a function that gives all tokens' times; whether to
go on."""


class _Wave(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.c_void_p),
    )


class _VoiceStruct(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("features", ctypes.c_void_p))


class _StreamingInfo(ctypes.Structure):
    pass


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.POINTER(_Wave),
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(_StreamingInfo),
)
_StreamingInfo._fields_ = (
    ("min_buffsize", ctypes.c_int),
    ("asc", _Callback),
    ("utt", ctypes.c_void_p),
    ("item", ctypes.c_void_p),
    ("userdata", ctypes.c_void_p),
)

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "flite_init": (ctypes.c_int, ()),
    "new_audio_streaming_info": (ctypes.POINTER(_StreamingInfo), ()),
    "audio_streaming_info_val": (ctypes.c_void_p, (ctypes.POINTER(_StreamingInfo),)),
    "flite_feat_set": (None, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)),
    "flite_feat_set_float": (None, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float)),
    "flite_synth_text": (ctypes.c_void_p, (ctypes.c_char_p, ctypes.POINTER(_VoiceStruct))),
    "delete_utterance": (None, (ctypes.c_void_p,)),
    "utt_relation": (ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_char_p)),
    "relation_head": (ctypes.c_void_p, (ctypes.c_void_p,)),
    "item_next": (ctypes.c_void_p, (ctypes.c_void_p,)),
    "flite_ffeature_float": (ctypes.c_float, (ctypes.c_void_p, ctypes.c_char_p)),
}


@cache
def library() -> ctypes.CDLL:
    """The core, loaded once. Raises ``NotInstalled``, saying where it was looked for."""
    folder = _folder()
    core: ctypes.CDLL | None = None
    if folder is not None:
        # What the libraries need and the machine may lack lies beside them.
        for name in sorted(path.name for path in folder.glob("libasound.so*")):
            _load(name, folder)
    for name in _CORE:
        loaded = _load(name, folder)
        core = core or loaded
    assert core is not None  # noqa: S101 - _CORE is not empty.
    for function, (result, arguments) in _SIGNATURES.items():
        getattr(core, function).restype = result
        getattr(core, function).argtypes = arguments
    core.flite_init()
    return core


@cache
def speaker(name: Speaker) -> FliteSpeaker:
    """One of flite's voices, the same object for the whole process. Raises ``NotInstalled``."""
    core = library()
    own = _load(f"libflite_cmu_us_{name}.so.1", _folder())
    register = getattr(own, f"register_cmu_us_{name}")
    register.restype = ctypes.POINTER(_VoiceStruct)
    register.argtypes = (ctypes.c_char_p,)
    return FliteSpeaker(core, register(None))


class FliteSpeaker:
    """A voice of flite. Speaks for one at a time: others wait."""

    def __init__(self, core: ctypes.CDLL, voice: Any) -> None:
        self._core = core
        self._voice = voice
        self._lock = threading.Lock()
        self._listener: Listener | None = None
        # Both must live as long as the voice, which points to them.
        self._callback = _Callback(self._sounded)
        self._info = core.new_audio_streaming_info()
        self._info.contents.asc = self._callback
        self._info.contents.min_buffsize = _SMALLEST_CHUNK
        core.flite_feat_set(
            self._features, b"streaming_info", core.audio_streaming_info_val(self._info)
        )

    def speak(self, text: str, pitch: float, pace: float, listener: Listener) -> None:
        """Says a text (ASCII), giving each 25 ms to the listener until that wants no more.

        Blocks; analysing the text takes some 0.2 ms a letter before the first sound.
        """
        with self._lock:
            self._core.flite_feat_set_float(self._features, b"f0_shift", pitch)
            self._core.flite_feat_set_float(self._features, b"duration_stretch", 1 / pace)
            self._listener = listener
            utterance = self._core.flite_synth_text(text.encode("ascii", "ignore"), self._voice)
            self._listener = None
            if utterance:
                self._core.delete_utterance(utterance)

    @property
    def _features(self) -> Any:
        return self._voice.contents.features

    def _sounded(self, wave: Any, start: int, size: int, _last: int, info: Any) -> int:
        listener = self._listener
        if listener is None or not wave.contents.samples:
            return _STOP
        pcm = ctypes.string_at(wave.contents.samples + 2 * start, 2 * size)
        utterance = info.contents.utt
        return _CONTINUE if listener(pcm, lambda: self._token_times(utterance)) else _STOP

    def _token_times(self, utterance: int | None) -> list[TokenTime]:
        core, times = self._core, []
        tokens = core.utt_relation(utterance, b"Token") if utterance else None
        token = core.relation_head(tokens) if tokens else None
        while token:
            begins = core.flite_ffeature_float(token, _FIRST_PHONE)
            ends = core.flite_ffeature_float(token, _LAST_PHONE)
            times.append(TokenTime(begins, ends))
            token = core.item_next(token)
        return times


def _folder() -> Path | None:
    """Where the libraries were unpacked; None for the system's own."""
    named = os.environ.get("ANTIPHON_FLITE_DIR")
    roots = [Path(named)] if named else [Path(sys.prefix) / "lib" / "flite"]
    for root in roots:
        for found in sorted(root.rglob(_CORE[0])):
            return found.parent
    return None


def _load(name: str, folder: Path | None) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(folder / name) if folder else name, mode=ctypes.RTLD_GLOBAL)
    except OSError as missing:
        raise NotInstalled(
            f"the speech synthesiser's {name} cannot be loaded ({missing}); run scripts/serve in "
            "a checkout, or install it (Debian: apt-get install libflite1), or name its folder "
            "in ANTIPHON_FLITE_DIR",
            provider="flite",
        ) from missing
