"""What every measurement takes from the command line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from antiphon.clips import Clip, default_clips, read_folder
from antiphon.errors import AntiphonError
from antiphon.settings import SessionSettings
from antiphon.talk import add_server_arguments


class CannotWrite(AntiphonError):
    """The report cannot be written where it was asked for."""


PROMPT = "You are on the telephone. Answer in one short sentence."
"""Short answers: what is measured is how they begin."""


def add_common(parser: argparse.ArgumentParser) -> None:
    """Declares them."""
    add_server_arguments(parser)
    parser.add_argument(
        "--clips",
        type=Path,
        metavar="FOLDER",
        help="WAV files to speak, with an optional manifest.json that lists "
        '[{"file": ..., "text": ...}]; default: sentences of the reading that comes with '
        "the embedded models",
    )
    parser.add_argument("--voice", help="the agent's voice")
    parser.add_argument("--prompt", default=PROMPT, metavar="TEXT", help="the system prompt")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write every number here; - is the output"
    )


def at_least_one(text: str) -> int:
    """A count from the command line. Raises what argparse expects for anything else."""
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return count


def clips_of(options: argparse.Namespace) -> list[Clip]:
    """What is to be spoken. Raises ``UnusableAudio``."""
    return default_clips() if options.clips is None else read_folder(options.clips)


def settings_of(options: argparse.Namespace) -> SessionSettings:
    """How the agent is to be."""
    settings = SessionSettings(system_prompt=options.prompt)
    if options.voice is not None:
        settings["voice"] = options.voice
    return settings


def write_report(path: Path | None, report: dict[str, Any]) -> None:
    """Writes the numbers where they were asked for. Raises ``CannotWrite`` where it cannot."""
    if path is None:
        return
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    if str(path) == "-":
        sys.stdout.write(text)
    else:
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CannotWrite(f"{path} cannot be written: {error.strerror}") from error
