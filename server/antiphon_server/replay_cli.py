"""``antiphon replay``: takes a recorded call's every step again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from antiphon_server.call import journal
from antiphon_server.call.journal import Difference, Unreadable

DIFFERENT = 1
UNUSABLE = 2


class Replay:
    """The command, as ``antiphon`` finds it."""

    help = "Replay the journal of a call and show the first difference."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The journal."""
        parser.description = (
            "Replay the journal of a call: every event is given to the conversation again, and "
            "what it decides is compared with what it decided then. The server writes journals "
            "into ANTIPHON_JOURNAL_DIR. Exit status: 0 no difference, 1 a difference, 2 no journal."
        )
        parser.add_argument("journal", type=Path, metavar="JOURNAL", help="a .jsonl file")

    def run(self, args: argparse.Namespace) -> int:
        """Prints what came of it."""
        try:
            with args.journal.open("rb") as lines:
                result = journal.replay(journal.read(lines))
        except OSError as failure:
            return _refuse(f"{args.journal} cannot be read: {failure.strerror}")
        except Unreadable as wrong:
            return _refuse(f"{args.journal}: {wrong}")
        if isinstance(result, Difference):
            print(_shown(result))  # noqa: T201
            return DIFFERENT
        print(f"{result} steps, no difference")  # noqa: T201
        return 0


def _shown(difference: Difference) -> str:
    lines = [f"line {difference.line}: {_json(difference.event)}"]
    recorded, replayed = (
        [_json(command) for command in commands]
        for commands in (difference.recorded, difference.replayed)
    )
    width = max(map(len, recorded), default=8)
    lines.append(f"  {'recorded':<{width}}  replayed")
    for number in range(max(len(recorded), len(replayed))):
        then = recorded[number] if number < len(recorded) else "-"
        now = replayed[number] if number < len(replayed) else "-"
        mark = " " if then == now else "!"
        lines.append(f"{mark} {then:<{width}}  {now}")
    return "\n".join(lines)


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


def _refuse(reason: str) -> int:
    print(f"antiphon replay: {reason}", file=sys.stderr)  # noqa: T201
    return UNUSABLE


replay = Replay()
