"""``antiphon talk``: has a conversation with a server, from recordings or a microphone."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, get_args

from antiphon.address import socket_url
from antiphon.call import Call
from antiphon.caller import Caller, Turn
from antiphon.clips import Clip, default_clips, read_clip
from antiphon.connection import connect
from antiphon.errors import AntiphonError, CannotConnect, TimedOut, Unauthorized, UnusableAudio
from antiphon.events import Event, TurnTimeline
from antiphon.playback import Playback
from antiphon.settings import SessionSettings
from antiphon.sound_device import Microphone, SoundLibrary, Speaker, sound_library
from antiphon.terminal import Terminal
from antiphon.transcript import Transcript
from antiphon.turn_report import show_stages, show_turn, turn_as_json
from antiphon.wav import write_wav
from antiphon_protocol.session_config import EncodingName

URL = "ws://127.0.0.1:8400/v1/ws"
ENCODINGS = {name.removeprefix("audio/"): name for name in get_args(EncodingName)}

FAILED, WRONG_USE, NO_SERVER, REFUSED, STOPPED = 1, 2, 3, 4, 130

EPILOG = """\
exit codes:
  0    every recording was answered
  1    the call failed, or a recording was not answered
  2    a recording or an option cannot be used
  3    no server at that address
  4    the server refused the key
  130  stopped with Ctrl-C

examples:
  antiphon talk                          a sentence from the reading that comes along
  antiphon talk question.wav --out answer.wav
  antiphon talk a.wav b.wav --json       two turns of one conversation, as JSON
  antiphon talk --mic                    speak yourself; headphones keep it from hearing itself
"""


class Talk:
    """The command: what it is called with, and what it does."""

    help = "talk to a server, from WAV files or a microphone, and time every stage"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares what the command takes."""
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = EPILOG
        add = parser.add_argument
        add("files", nargs="*", type=Path, metavar="FILE.wav", help="what to say, in turns")
        add_server_arguments(parser)
        add("--voice", help="the agent's voice")
        add("--prompt", metavar="TEXT", help="the agent's system prompt")
        add("--greeting", metavar="TEXT", help="what the agent says first")
        add("--encoding", choices=ENCODINGS, default="pcm", help="on the wire (default: pcm)")
        add(
            "--out",
            type=Path,
            default=Path("reply.wav"),
            metavar="FILE.wav",
            help="where the replies are written (default reply.wav)",
        )
        add("--mic", action="store_true", help="use the microphone and the speaker")
        add("--json", action="store_true", help="print one JSON object instead of a transcript")

    def run(self, options: argparse.Namespace) -> int:
        """Has the conversation; returns the exit code."""
        terminal = Terminal(sys.stderr if options.json else sys.stdout)
        try:
            return asyncio.run(_talk(options, terminal))
        except KeyboardInterrupt:
            terminal.line()
            return STOPPED
        except AntiphonError as error:
            return report_failure(error, options.url)


talk = Talk()


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """``--url`` and ``--key``, which every command that calls a server has."""
    parser.add_argument(
        "--url",
        default=os.environ.get("ANTIPHON_URL", URL),
        help=f"the server (default: $ANTIPHON_URL or {URL})",
    )
    parser.add_argument(
        "--key",
        default=os.environ.get("ANTIPHON_API_KEY"),
        help="API key or temporary token (default: $ANTIPHON_API_KEY)",
    )


def report_failure(error: AntiphonError, url: str) -> int:
    """Says on the standard error what went wrong and what to do; returns the exit code."""
    said, code = _explained(error, url)
    terminal = Terminal(sys.stderr)
    terminal.line(f"{terminal.paint('antiphon:', 'red')} {said}")
    return code


def _explained(error: AntiphonError, url: str) -> tuple[str, int]:
    if isinstance(error, CannotConnect):
        return f"{error}\n          start one with: antiphon serve", NO_SERVER
    if isinstance(error, Unauthorized):
        return f"{url} refused the key; give one with --key or $ANTIPHON_API_KEY", REFUSED
    if isinstance(error, UnusableAudio):
        return str(error), WRONG_USE
    return str(error), FAILED


async def _talk(options: argparse.Namespace, terminal: Terminal) -> int:
    # What cannot be used is found before anybody is called.
    socket_url(options.url)
    clips = [] if options.mic else _clips(options.files)
    library = sound_library() if options.mic else None
    async with _connect(options) as call:
        terminal.heading(options.url, f"{call.session_id}  voice {call.config.output.voice}")
        if library is not None:
            return await _speak_yourself(call, terminal, library)
        return await _speak_clips(call, clips, options, terminal)


def _clips(files: list[Path]) -> list[Clip]:
    return [read_clip(path) for path in files] if files else default_clips()[:1]


def _connect(options: argparse.Namespace) -> AbstractAsyncContextManager[Call]:
    encoding = ENCODINGS[options.encoding]
    settings = SessionSettings(input_encoding=encoding, output_encoding=encoding)
    if options.prompt is not None:
        settings["system_prompt"] = options.prompt
    if options.greeting is not None:
        settings["greeting"] = options.greeting
    if options.voice is not None:
        settings["voice"] = options.voice
    # A recording that was cut off in the middle is not answered by coming back.
    return connect(options.url, options.key, timeline=True, resume=options.mic, **settings)


async def _speak_clips(
    call: Call, clips: list[Clip], options: argparse.Namespace, terminal: Terminal
) -> int:
    show: Callable[[Event], None] = Transcript(terminal).show
    turns: list[Turn] = []
    failure: str | None = None
    async with Caller(call, witness=show, keeps_sound=True) as caller:
        try:
            if options.greeting:
                await caller.hear_out()
            async for turn in _turns(caller, clips, terminal):
                turns.append(turn)  # noqa: PERF401 - what there is counts, if the next one fails
        except TimedOut as error:
            failure = str(error)
    sound = b"".join(reply.pcm for reply in caller.ear.replies)
    if sound:
        write_wav(options.out, sound, call.output_encoding.rate)
    if options.json:
        _print_json(call, turns, failure)
    elif sound:
        terminal.line(f"\n  replies written to {options.out}")
    if failure is not None:
        terminal.said("error", failure, "red")
    return FAILED if failure or not all(turn.answered for turn in turns) else 0


async def _turns(caller: Caller, clips: list[Clip], terminal: Terminal) -> AsyncIterator[Turn]:
    for clip in clips:
        terminal.line()
        terminal.heading(clip.name, f"{clip.duration_ms / 1000:.1f} s")
        turn = await caller.converse(clip)
        await caller.timeline_of(turn)
        show_turn(terminal, turn)
        yield turn


def _print_json(call: Call, turns: list[Turn], failure: str | None) -> None:
    report: dict[str, Any] = {
        "session_id": call.session_id,
        "turns": [turn_as_json(turn) for turn in turns],
        "error": failure,
    }
    sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


async def _speak_yourself(call: Call, terminal: Terminal, library: SoundLibrary) -> int:
    """A conversation through this machine's devices, until the session ends or Ctrl-C."""
    transcript, playback = Transcript(terminal), Playback(call.output_encoding)

    async def send(microphone: Microphone) -> None:
        async for frame in microphone:
            await call.send_audio(frame)

    async with Microphone(library=library) as microphone, Speaker(playback, library=library):
        terminal.line("  speak; Ctrl-C ends the call\n")
        sending = asyncio.create_task(send(microphone))
        try:
            async for event in call:
                playback.hear(event)
                transcript.show(event)
                if isinstance(event, TurnTimeline):
                    show_stages(terminal, event)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    return 0
