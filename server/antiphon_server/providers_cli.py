"""``antiphon providers``: which there are, whether one works, and who serves a running server."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable
from typing import Any, get_args, get_type_hints

import msgspec
import numpy as np
import soxr
from msgspec import Meta

from antiphon_providers import registry
from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import HEARING_RATE, VoiceOptions
from antiphon_providers.registry import STAGES, Stage
from antiphon_server import providers_remote
from antiphon_server import settings as settings_module
from antiphon_server.env_file import Environment
from antiphon_server.provider_check import SENTENCES, VOICE, Finding, Report, check
from antiphon_server.settings import PREFIX, STAGE_OPTIONS, WHOLE_TURNS, SettingsError

FAILED = 1
WRONG_USE = 2
_SETTINGS = {stage: setting for setting, stage in (STAGE_OPTIONS | WHOLE_TURNS).items()}
CHECKED: tuple[Stage, ...] = tuple(stage for stage in STAGES if stage in _SETTINGS)


class Providers:
    """The command, as ``antiphon`` finds it."""

    help = "List the installed providers, check one, and change those of a running server."

    def __init__(self) -> None:
        self._parser: argparse.ArgumentParser | None = None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the actions and their options."""
        self._parser = parser
        parser.description = self.help
        actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
        listed = actions.add_parser(
            "list",
            help="the installed providers of each stage, with their options",
            description="List the installed providers of each stage, with their options.",
        )
        listed.add_argument("--json", action="store_true", help="as a JSON list, for programs")
        checked = actions.add_parser(
            "check",
            help="one short real request to a provider",
            description="Start a provider, ask it once as a call would, and print what it took "
            "and what it can do. Its options are those of the environment (ANTIPHON_LLM_MODEL) "
            "and of --option. A cloud provider charges for it like for any other request.",
        )
        checked.add_argument("name", metavar="NAME", help="as in `antiphon providers list`")
        checked.add_argument("--stage", choices=CHECKED, help="where several stages have the name")
        checked.add_argument(
            "--option", action="append", default=[], metavar="NAME=VALUE", help="may be repeated"
        )
        checked.add_argument("--json", action="store_true", help="as a JSON list, for programs")
        providers_remote.add_arguments(actions)

    def run(self, args: argparse.Namespace) -> int:
        """Does it: 0; 1 where a provider does not work, 2 for a wrong name or setting."""
        if args.action == "list":
            print(_listed_json() if args.json else "\n".join(_listed()))  # noqa: T201
            return 0
        if args.action == "check":
            return _check(args)
        if args.action is not None:
            return providers_remote.run(args)
        if self._parser is not None:
            self._parser.print_help(sys.stderr)
        return WRONG_USE


# --- list ----------------------------------------------------------------------------------


def _listed() -> Iterable[str]:
    for stage in STAGES:
        yield f"{stage.replace('_', ' ')}:"
        for name, entry in sorted(registry.installed(stage).items()):
            package = entry.dist.name if entry.dist is not None else "?"
            yield f"  {name:<20} {package}"
            for option, about in _options(stage, name).items():
                yield f"      {option:<20} {about}"
        yield ""


def _listed_json() -> str:
    rows = [
        {"stage": stage, "name": name, "options": _options(stage, name)}
        for stage in STAGES
        for name in sorted(registry.installed(stage))
    ]
    return msgspec.json.format(msgspec.json.encode(rows)).decode()


def _options(stage: Stage, name: str) -> dict[str, str]:
    """What can be set, and what it means; nothing for one whose packages are missing."""
    try:
        struct = registry.options_of(registry.load(stage, name))
    except ProviderError as failure:
        return {"": failure.message}
    hints = get_type_hints(struct, include_extras=True)
    return {option: _meaning(hints[option]) for option in struct.__struct_fields__}


def _meaning(hint: Any) -> str:
    notes = [note for note in _parts(hint) if isinstance(note, Meta)]
    return " ".join(note.description for note in notes if note.description)


def _parts(hint: Any) -> list[Any]:
    return [deeper for part in get_args(hint) for deeper in (part, *_parts(part))]


# --- check ---------------------------------------------------------------------------------


def _check(args: argparse.Namespace) -> int:
    stages = [args.stage] if args.stage else [s for s in CHECKED if args.name in _names(s)]
    if not stages:
        known = sorted({name for stage in CHECKED for name in _names(stage)})
        return _refuse(f"there is no provider '{args.name}'; installed: {', '.join(known)}")
    try:
        providers = [(stage, _made(stage, args)) for stage in stages]
    except (ProviderError, SettingsError) as wrong:
        return _refuse(str(wrong))
    reports = asyncio.run(_checked(providers))
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(reports)).decode())  # noqa: T201
    else:
        print("\n\n".join("\n".join(_lines(report)) for report in reports))  # noqa: T201
    return FAILED if any(report.failure for report in reports) else 0


def _names(stage: Stage) -> Iterable[str]:
    return registry.installed(stage)


def _made(stage: Stage, args: argparse.Namespace) -> Any:
    """The provider with its options. Raises ``ProviderError`` and ``SettingsError``."""
    environment = Environment(os.environ)
    variables = environment.read()
    settings = settings_module.read(variables, host="127.0.0.1")
    environment.use(variables)
    setting = _SETTINGS[stage]
    chosen = {each.name: each.options for each in settings.candidates(setting)}
    options = dict(chosen.get(args.name) or settings.options.get(setting, {}))
    for given in args.option:
        option, _, value = given.partition("=")
        options[option] = value
    return registry.create(stage, args.name, options)


async def _checked(providers: list[tuple[Stage, Any]]) -> list[Report]:
    hears = {"speech_to_text", "speech_to_speech", "turn_model", "voice_activity"}
    speech = await _speech() if any(stage in hears for stage, _ in providers) else None
    return [await check(stage, provider, speech) for stage, provider in providers]


async def _speech() -> bytes | None:
    """Somebody says two sentences: the embedded voice, where it is installed."""

    async def sentences() -> Any:
        for sentence in SENTENCES:
            yield sentence

    try:
        voice = registry.create("text_to_speech", "local")
        await voice.start()
    except ProviderError:
        return None
    try:
        pcm = b"".join([sound.pcm async for sound in voice.speak(sentences(), VoiceOptions(VOICE))])
    finally:
        await voice.close()
    samples = np.frombuffer(pcm, "<i2")
    return bytes(soxr.resample(samples, voice.rate, HEARING_RATE).astype("<i2").tobytes())


def _lines(report: Report) -> Iterable[str]:
    yield f"{report.stage.replace('_', ' ')}  {report.provider}"
    for finding in report.findings:
        yield f"  {finding.name:<28} {_value(finding)}"
    yield f"  failed: {report.failure}" if report.failure else "  works"


def _value(finding: Finding) -> str:
    if isinstance(finding.value, bool):
        return "yes" if finding.value else "no"
    if isinstance(finding.value, str):
        return finding.value
    return f"{finding.value:,} {finding.unit}".rstrip()


def _refuse(why: str) -> int:
    print(f"antiphon providers: {why} (settings begin with {PREFIX})", file=sys.stderr)  # noqa: T201
    return WRONG_USE


providers = Providers()
