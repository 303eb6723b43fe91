"""``antiphon NAME``: the front door.

A command is whatever an installed package offers under the entry-point group
``antiphon.commands``: an object with ``help``, ``add_arguments(parser)`` and ``run(options)``,
which returns the exit code. A command whose packages are missing stays visible and says what
to install.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, runtime_checkable

from antiphon_protocol import __version__

GROUP = "antiphon.commands"

EXTRAS = {"antiphon_server": "server"}
"""Which extra brings what a command's package imports."""

FAILED = 1
MISSING = 1
WRONG_USE = 2


@runtime_checkable
class Command(Protocol):
    """What a package offers."""

    help: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares what the command takes."""

    def run(self, options: argparse.Namespace) -> int:
        """Does it; returns the exit code."""


class NotInstalled:
    """Stands for a command whose packages are missing; it is a ``Command`` itself."""

    def __init__(self, entry: EntryPoint, missing: ImportError) -> None:
        extra = EXTRAS.get(entry.module.partition(".")[0])
        package = f"'antiphon[{extra}]'" if extra else (missing.name or entry.module)
        self.install = f"pip install {package}"
        self.help = f"not installed: {self.install}"
        self._name = entry.name
        self._missing = missing

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Takes anything, so that the reason is not hidden behind a complaint about usage."""
        parser.add_argument("anything", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)

    def run(self, _options: argparse.Namespace) -> int:
        """Says what to install."""
        print(
            f"antiphon {self._name} needs packages that are not installed ({self._missing}).\n"
            f"Install them with: {self.install}",
            file=sys.stderr,
        )
        return MISSING


def load(entry: EntryPoint) -> Command:
    """The command, or what stands for it. Raises ``TypeError`` for what is not a command."""
    try:
        command = entry.load()
    except ImportError as error:
        return NotInstalled(entry, error)
    if not isinstance(command, Command):
        raise TypeError(f"{entry.value} is not a command: it needs help, add_arguments and run")
    return command


def main(argv: Sequence[str] | None = None, entries: Sequence[EntryPoint] | None = None) -> int:
    """Runs a command; returns the exit code. ``entries`` are those installed."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    found = {entry.name: entry for entry in entries or entry_points(group=GROUP)}
    # Only the command that is meant is imported: the server takes its time.
    wanted = arguments[0] if arguments and arguments[0] in found else None
    commands = {
        name: load(entry) for name, entry in sorted(found.items()) if wanted in (None, name)
    }
    if wanted is not None and isinstance(commands[wanted], NotInstalled):
        return commands[wanted].run(argparse.Namespace())
    parser = _parser(commands)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return WRONG_USE
    try:
        return commands[options.command].run(options)
    except BrokenPipeError:
        # Whoever read the output has gone, as `head` does: there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _parser(commands: dict[str, Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="antiphon",
        description="An open, self-hosted voice agent server, and the tools around it.",
        epilog="antiphon COMMAND --help says what a command takes.",
    )
    parser.add_argument("--version", action="version", version=f"antiphon {__version__}")
    choices = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, command in commands.items():
        command.add_arguments(
            choices.add_parser(name, help=command.help, description=_sentence(command.help))
        )
    return parser


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."
