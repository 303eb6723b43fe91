"""``python -m antiphon_loadtest MEASUREMENT``; see the package."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Protocol

from antiphon.errors import AntiphonError
from antiphon.talk import STOPPED, report_failure
from antiphon.terminal import Terminal
from antiphon_loadtest import barge_in, callers, openings, response


class Measurement(Protocol):
    """What a module of this package offers."""

    HELP: str
    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares what it takes."""

    async def run(self, options: argparse.Namespace, terminal: Terminal) -> int:
        """Measures, shows, writes; returns the exit code."""


MEASUREMENTS: dict[str, Measurement] = {
    "response": response,
    "callers": callers,
    "barge-in": barge_in,
    "openings": openings,
}

EPILOG = """\
exit codes:
  0    measured, and every stated objective was met
  1    an objective was missed, or the call failed
  2    a recording or an option cannot be used
  3    no server at that address
  4    the server refused the key
  130  stopped with Ctrl-C
"""


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    main_parser = argparse.ArgumentParser(
        prog="python -m antiphon_loadtest",
        description="Measures a voice agent server from outside, as callers would.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    choices = main_parser.add_subparsers(
        dest="measurement", metavar="MEASUREMENT", required=True, title="measurements"
    )
    for name, measurement in MEASUREMENTS.items():
        one = choices.add_parser(
            name,
            help=measurement.HELP,
            description=measurement.__doc__,
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        measurement.add_arguments(one)
    return main_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a measurement; returns the exit code."""
    options = parser().parse_args(argv)
    to_output = options.json is not None and str(options.json) == "-"
    terminal = Terminal(sys.stderr if to_output else sys.stdout)
    try:
        return asyncio.run(MEASUREMENTS[options.measurement].run(options, terminal))
    except KeyboardInterrupt:
        terminal.line()
        return STOPPED
    except AntiphonError as error:
        return report_failure(error, options.url)


if __name__ == "__main__":
    sys.exit(main())
