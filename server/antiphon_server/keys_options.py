"""The options of ``antiphon keys create``, each read strictly."""

from __future__ import annotations

import argparse
import re

from antiphon_server.security.admission import ALL_SCOPES
from antiphon_server.security.origins import OriginFault, normal_origin

MOST_NAME_CHARACTERS = 200
_ACCOUNT = re.compile(r"[A-Za-z0-9._:@-]{1,128}", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,6})([mhdw])", re.ASCII)
_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOST_SECONDS = 36_500 * 86_400
"""A hundred years; a calendar ends with the year 9999."""
_MOST_SESSIONS = 1_000_000


def add_create(parser: argparse.ArgumentParser) -> None:
    """Declares them."""
    parser.add_argument(
        "--name", required=True, type=name, help="for people, in lists: who uses it, and where"
    )
    parser.add_argument(
        "--account",
        type=account,
        default="default",
        help="whose it is; keys of one account share agents, sessions, webhooks and usage, and "
        "one can replace another (default: %(default)s)",
    )
    parser.add_argument(
        "--scope",
        action="append",
        choices=ALL_SCOPES,
        help="what it may be used for, more than once for several; `calls` is to open sessions "
        "and to mint tokens, `operator` to change the server's providers (default: all but "
        "`operator`)",
    )
    parser.add_argument(
        "--origin",
        action="append",
        type=origin,
        help="a web page's origin, such as https://app.example.com, more than once for several: "
        "pages of others cannot use it, nor its tokens (default: any)",
    )
    parser.add_argument(
        "--max-sessions",
        metavar="N",
        type=count,
        help="sessions at once (default: ANTIPHON_MAX_SESSIONS_PER_KEY)",
    )
    parser.add_argument(
        "--sessions-per-minute",
        metavar="N",
        type=count,
        help="new sessions a minute (default: ANTIPHON_SESSIONS_PER_MINUTE_PER_KEY)",
    )
    parser.add_argument(
        "--expires-in",
        metavar="TIME",
        type=duration,
        help="end it by itself, such as 12h, 90d or 52w (default: never)",
    )


def name(text: str) -> str:
    """A line that can be printed. Raises ``argparse.ArgumentTypeError``, as all of these."""
    stripped = text.strip()
    if not 0 < len(stripped) <= MOST_NAME_CHARACTERS or not stripped.isprintable():
        raise _wrong(f"a name has 1 to {MOST_NAME_CHARACTERS} characters that can be printed")
    return stripped


def account(text: str) -> str:
    """An account's name."""
    if not _ACCOUNT.fullmatch(text):
        raise _wrong(f"{text!r} is no account: 1 to 128 letters, digits, and . _ : @ -")
    return text


def origin(text: str) -> str:
    """An origin, as browsers write it."""
    try:
        return normal_origin(text)
    except OriginFault as fault:
        raise _wrong(str(fault)) from fault


def count(text: str) -> int:
    """At least 1."""
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not 1 <= int(text) <= _MOST_SESSIONS:
        raise _wrong(f"{text!r} is no whole number from 1 to {_MOST_SESSIONS}")
    return int(text)


def duration(text: str) -> int:
    """Seconds."""
    read = _DURATION.fullmatch(text)
    if read is None or int(read[1]) == 0:
        raise _wrong(f"{text!r} is no time: a number and m, h, d or w, such as 90d")
    seconds = int(read[1]) * _UNITS[read[2]]
    if seconds > _MOST_SECONDS:
        raise _wrong(f"{text} is more than a hundred years: leave it out, and it never ends")
    return seconds


def _wrong(told: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(told)
