"""The contracts as a pytest plugin: they run against any installed provider by its name.

``pytest --pyargs antiphon_providers.contract`` with these options:

- ``--antiphon-provider STAGE:NAME``, once for each provider, as `antiphon providers list` names
  them;
- ``--antiphon-option NAME=VALUE``, once for each option, for all of these that have it;
- ``--antiphon-unreachable NAME=VALUE``: the same for a provider whose service is not there, such
  as the address of a port where nobody listens.

A `conftest.py` beside may start what a provider talks to.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast, get_args

import pytest

from antiphon_providers import registry
from antiphon_providers.errors import ProviderError
from antiphon_providers.registry import Stage

CONTRACTS = {
    "language_model": "LanguageModelContract",
    "speech_to_speech": "SpeechToSpeechContract",
    "speech_to_text": "SpeechToTextContract",
    "text_to_speech": "TextToSpeechContract",
    "turn_model": "TurnModelContract",
    "voice_activity": "VoiceActivityContract",
}
"""Each stage's class, in the module of the stage's name."""
_HERE = Path(__file__).with_name("__init__.py")
_PACKAGE = "antiphon_providers.contract"
_GIVEN = {
    "provider": "STAGE:NAME",
    "option": "NAME=VALUE",
    "unreachable": "NAME=VALUE",
}
_HELP = {
    "provider": "run the contract of a stage against an installed provider; may be repeated",
    "option": "an option of the providers named; may be repeated",
    "unreachable": "an option that leads to a service that is not there; may be repeated",
}

_MODULES = [f"{_PACKAGE}.{module}" for module in (*CONTRACTS, "promise")]

# Failed asserts show their values to whoever inherits a contract; pytest warns of a module that
# was imported before it could do that.
pytest.register_assert_rewrite(*(module for module in _MODULES if module not in sys.modules))


class Chosen:
    """A provider of the command line, and the options that are for it."""

    def __init__(self, stage: Stage, name: str, given: Mapping[str, Mapping[str, str]]) -> None:
        self.stage = stage
        self.name = name
        self.known = registry.options_of(registry.load(stage, name)).__struct_fields__
        self.options = self._own(given["option"])
        self.unreachable = self._own(given["unreachable"])

    def contract(self) -> type:
        """The stage's contract for this provider."""
        base = getattr(import_module(f"{_PACKAGE}.{self.stage}"), CONTRACTS[self.stage])
        methods = {"make": self._make}
        if self.unreachable:
            methods["make_unreachable"] = self._make_unreachable
        return type(f"{self.stage}:{self.name}", (base,), methods)

    def _own(self, options: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in options.items() if name in self.known}

    def _make(self) -> Any:
        return registry.create(self.stage, self.name, self.options)

    def _make_unreachable(self) -> Any:
        return registry.create(self.stage, self.name, {**self.options, **self.unreachable})


class InstalledProviders(pytest.Module):
    """The contracts of the providers that the command line names."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """One class for each."""
        chosen = _chosen(self.config)
        if not chosen:
            raise self.CollectError("name a provider: --antiphon-provider STAGE:NAME")
        for one in chosen:
            collected: pytest.Class = pytest.Class.from_parent(self, name=f"{one.stage}:{one.name}")
            try:
                collected.obj = one.contract()
            except ImportError as missing:
                install = "pip install 'antiphon[testing]'"
                raise self.CollectError(f"the contracts need more: {missing}; {install}") from None
            yield collected


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the options."""
    group = parser.getgroup("antiphon", "Antiphon's provider contracts")
    for name, form in _GIVEN.items():
        group.addoption(
            f"--antiphon-{name}", action="append", default=[], metavar=form, help=_HELP[name]
        )


def pytest_configure(config: pytest.Config) -> None:
    """Refuses a provider or an option that is not there."""
    chosen = _chosen(config)
    wanted = {**_pairs(config, "option"), **_pairs(config, "unreachable")}
    if chosen and (unknown := set(wanted).difference(*(one.known for one in chosen))):
        raise pytest.UsageError(
            f"no provider that was named has an option {', '.join(sorted(unknown))}; they have: "
            + ", ".join(sorted({option for one in chosen for option in one.known}))
        )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """This package is where the providers of the command line are tested."""
    if file_path != _HERE:
        return None
    module: InstalledProviders = InstalledProviders.from_parent(parent, path=file_path)
    return module


def _chosen(config: pytest.Config) -> list[Chosen]:
    """The providers named. Raises ``UsageError``."""
    given = {"option": _pairs(config, "option"), "unreachable": _pairs(config, "unreachable")}
    found = []
    for text in config.getoption("--antiphon-provider"):
        stage, _, name = text.partition(":")
        if stage not in CONTRACTS or stage not in get_args(Stage):
            raise pytest.UsageError(
                f"--antiphon-provider {text}: say STAGE:NAME; the stages: {', '.join(CONTRACTS)}"
            )
        try:
            found.append(Chosen(cast("Stage", stage), name, given))
        except ProviderError as wrong:
            raise pytest.UsageError(f"--antiphon-provider {text}: {wrong}") from wrong
    return found


def _pairs(config: pytest.Config, option: str) -> dict[str, str]:
    pairs = [text.partition("=") for text in config.getoption(f"--antiphon-{option}")]
    return {name: value for name, _, value in pairs}
