"""``antiphon providers show`` and ``swap``: the providers of a running server, by its REST API."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

from antiphon_protocol.rest_operator import STAGES

DONE, FAILED, WRONG_USE = 0, 1, 2
URL = "http://127.0.0.1:8400"
URL_VARIABLE = "ANTIPHON_URL"
KEY_VARIABLE = "ANTIPHON_OPERATOR_KEY"
PATH = "/v1/operator/providers"
SECONDS = 90.0
"""More than a server gives its providers to start."""

_SCHEMES = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


class _Refusal(Exception):
    """What cannot be done, and why."""

    def __init__(self, why: str, status: int = FAILED) -> None:
        super().__init__(why)
        self.status = status


def add_arguments(actions: Any) -> None:
    """Declares both actions."""
    show = actions.add_parser(
        "show",
        help="who serves each stage of a running server, and how they do",
        description=f"Ask a running server who serves each stage. The key is in ${KEY_VARIABLE}.",
    )
    show.add_argument("--json", action="store_true", help="as the server answers, for programs")
    swap = actions.add_parser(
        "swap",
        help="have a running server change who serves a stage, also in calls that go on",
        description="Have a running server change who serves a stage. It starts the new providers "
        f"first; where they cannot be used, nothing changes. The key is in ${KEY_VARIABLE}.",
    )
    swap.add_argument("stage", choices=STAGES, help="which stage")
    swap.add_argument("names", metavar="NAME", nargs="+", help="providers, in order of preference")
    swap.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the first provider, 2.NAME=VALUE of the second; NAME=@FILE takes what is in a "
        "file, such as a key, which others could read on a command line; may be repeated",
    )
    for action in (show, swap):
        action.add_argument(
            "--url",
            default=os.environ.get(URL_VARIABLE, URL),
            help=f"the server (default: ${URL_VARIABLE} or {URL})",
        )


def run(args: argparse.Namespace) -> int:
    """Does it: 0; 1 where the server refuses or is not there, 2 for wrong use."""
    try:
        if args.action == "show":
            stages = _asked(args.url, "GET", PATH)["stages"]
            shown = _json(stages) if args.json else "\n".join(map(_told, stages))
        else:
            body = {"providers": _providers(args.names, args.option)}
            shown = _told(_asked(args.url, "PUT", f"{PATH}/{args.stage}", body))
    except _Refusal as refusal:
        print(f"antiphon providers: {refusal}", file=sys.stderr)  # noqa: T201
        return refusal.status
    print(shown)  # noqa: T201
    return DONE


def _providers(names: list[str], given: list[str]) -> list[dict[str, Any]]:
    """What to put. Raises ``_Refusal``."""
    options: list[dict[str, str]] = [{} for _ in names]
    for one in given:
        option, equals, value = one.partition("=")
        number, dot, name = option.partition(".")
        place, name = (number, name) if dot else ("1", option)
        if not equals or not name or place not in map(str, range(1, len(names) + 1)):
            told = f"--option is NAME=VALUE, or N.NAME=VALUE up to the provider {len(names)}"
            raise _Refusal(told, WRONG_USE)
        options[int(place) - 1][name] = _value(value)
    return [{"name": name, "options": own} for name, own in zip(names, options, strict=True)]


def _value(given: str) -> str:
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as failure:
        raise _Refusal(f"{given[1:]} cannot be read: {failure}", WRONG_USE) from failure


def _asked(url: str, method: str, path: str, body: Any = None) -> Any:
    """What the server answers. Raises ``_Refusal``."""
    key = os.environ.get(KEY_VARIABLE, "")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        address = httpx.URL(url)
        scheme = _SCHEMES.get(address.scheme, "")
        if not scheme or not address.host:
            raise _Refusal(f"{url} is no address of a server, such as {URL}", WRONG_USE)
        target = address.copy_with(scheme=scheme, path=path, query=None, fragment=None)
        answer = httpx.request(method, target, json=body, headers=headers, timeout=SECONDS)
        told = msgspec.json.decode(answer.content, type=dict[str, Any])
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError) as failure:
        raise _Refusal(f"no answer of a server at {url}: {failure}") from failure
    if not answer.is_success:
        hint = "" if key else f" (${KEY_VARIABLE} has the key)"
        raise _Refusal(f"{told.get('message', answer.status_code)}{hint}")
    return told


def _json(stages: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(stages)).decode()


def _told(stage: dict[str, Any]) -> str:
    """A stage for people."""
    head = f"{stage['stage'].replace('_', ' ')}  version {stage['version']}, since {stage['since']}"
    return "\n".join([head, *(_line(each, stage["serves"]) for each in stage["providers"])])


def _line(provider: dict[str, Any], serves: str) -> str:
    mark = "*" if provider["name"] == serves else " "
    return f"{mark} {provider['name']:<20} {', '.join(_facts(provider))}"


def _facts(provider: dict[str, Any]) -> Iterator[str]:
    if provider["model"]:
        yield provider["model"]
    if provider["breaker"] not in {None, "closed"}:
        yield f"breaker {provider['breaker'].replace('_', ' ')}"
    first = provider["latency_ms"]["first"]
    if first["p50"] is not None:
        yield f"first useful byte {first['p50']:.0f} ms, p95 {first['p95']:.0f} ms"
    yield f"{provider['attempts']} answers, {provider['failures']} failed"
    for code, count in provider["errors"].items():
        yield f"{count} {code}"
