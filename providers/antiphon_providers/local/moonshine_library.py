"""Moonshine's tiny English recogniser, one utterance at a time.

The package ``moonshine-voice`` 0.1.0 (MIT; the model too) carries network and runtime. Its
Python wrapper copies the samples into a list and back, holding the interpreter for some 10 ms
per 10 s of sound; its C interface, used here, releases it. The version is pinned exactly.
"""

from __future__ import annotations

import ctypes

import numpy as np

from antiphon_providers.errors import NotInstalled, Unavailable
from antiphon_providers.interfaces import HEARING_RATE

_OPTIONS = {
    # Its own voice activity detection off: segments come cut, and with it on it hears words
    # in silence.
    "vad_threshold": "0",
    "return_audio_data": "false",
}
_QUIET_AFTER = HEARING_RATE // 5
"""Samples of silence put after every sound. Where it ends with a word, or 100 ms after it, the
network goes on with words that nobody said ("of wisdom, it was the age"), once in 12 times; with
200 ms more it does not. Without any, sounds shorter than that fail inside the network.
"""


class Recogniser:
    """One loaded network. **Never for two threads at once**: it would mix their words."""

    def __init__(self, provider: str) -> None:
        try:
            from moonshine_voice import moonshine_api, transcriber, utils  # noqa: PLC0415

            self._transcriber = transcriber.Transcriber(
                utils.get_model_path("tiny-en"), moonshine_api.ModelArch.TINY, options=_OPTIONS
            )
        except ImportError as missing:
            raise NotInstalled(
                f"pip install 'antiphon[local]': {missing}", provider=provider
            ) from missing
        except Exception as failure:
            raise Unavailable(
                f"the recogniser cannot be loaded: {failure}", provider=provider
            ) from failure
        self._provider = provider
        self._library = self._transcriber._lib  # noqa: SLF001 - see the module's docstring.
        self._transcript_pointer = ctypes.POINTER(moonshine_api.TranscriptC)

    def words(self, pcm: bytes) -> str:
        """What is said in int16 mono PCM at 16 kHz; some 30 ms of work for each second.

        Raises ``Unavailable`` when the network fails.
        """
        samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16).astype(np.float32) / 32768
        samples = np.pad(samples, (0, _QUIET_AFTER))
        transcript = self._transcript_pointer()
        error = self._library.moonshine_transcribe_without_streaming(
            self._transcriber._handle,  # noqa: SLF001
            samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
            samples.size,
            HEARING_RATE,
            0,
            ctypes.byref(transcript),
        )
        if error:
            raise Unavailable(f"the recogniser failed ({error})", provider=self._provider)
        if not transcript:
            return ""
        heard = transcript.contents
        lines = (heard.lines[number].text for number in range(heard.line_count))
        return " ".join(
            ctypes.string_at(line).decode("utf-8", "ignore").replace(",,", ",").strip()
            for line in lines
            if line
        )

    def close(self) -> None:
        """Frees the network."""
        self._transcriber.close()
