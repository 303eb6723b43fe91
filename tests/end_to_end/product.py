"""The product as its user has it: the installed command, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from antiphon.clips import Clip, clip_of
from antiphon.wav import resample, write_wav
from antiphon_protocol.audio import PCM
from antiphon_providers.contract.human_speech import RATE, background
from antiphon_providers.contract.human_speech import Clip as Speech
from hostile.serving import STOP_SECONDS, Server, environment

ANTIPHON = str(Path(sys.executable).with_name("antiphon"))
LOADTEST = [sys.executable, "-m", "antiphon_loadtest"]
NOISE = ("Traceback", "Error", "leak", "nanobind", "Warning", "warning:", "Exception", "Aborted")
"""What a process must not leave on its standard error: traces, and libraries' last words."""

COMMAND_SECONDS = 60


class Talked(NamedTuple):
    """What ``antiphon talk`` did: the process, and the file it wrote."""

    done: subprocess.CompletedProcess[str]
    recording: Path


@contextmanager
def running(log: Path, *arguments: str, **variables: str) -> Iterator[Server]:
    """``antiphon serve`` on a free port, as it comes, stopped at the end of the block.

    Its standard error goes to the file ``log``.
    """
    with (
        TemporaryDirectory() as data,
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            [ANTIPHON, "serve", "--port", "0", *arguments],
            env=environment(data, **variables),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield Server(process, log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(STOP_SECONDS)


def run(
    *command: str, cwd: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself, with what it printed."""
    with TemporaryDirectory() as data:
        return subprocess.run(
            command,
            cwd=cwd,
            env=environment(data, **variables),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )


def antiphon(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """``antiphon`` with these arguments, in a folder of its own: it may write where it is run."""
    with TemporaryDirectory() as here:
        return run(ANTIPHON, *arguments, cwd=here, **variables)


def is_quiet(errors: str) -> bool:
    """Whether a standard error holds neither a trace nor a library's last words."""
    return not any(noise in errors for noise in NOISE)


def to_say(*parts: Speech) -> Clip:
    """Human speech as a caller of the SDK speaks it, with the room's quiet around it."""
    pcm = background(200) + b"".join(part.pcm for part in parts) + background(200)
    text = " ".join(part.text for part in parts)
    return clip_of("+".join(part.name for part in parts), resample(pcm, RATE, PCM.rate, "it"), text)


def wav_folder(folder: Path, clips: list[Speech]) -> Path:
    """A folder of recordings with what is said in them, as ``--clips`` takes it."""
    entries = []
    for speech in clips:
        name = f"{speech.name}.wav"
        write_wav(folder / name, to_say(speech).pcm, PCM.rate)
        entries.append({"file": name, "text": speech.text})
    (folder / "manifest.json").write_bytes(msgspec.json.encode(entries))
    return folder
