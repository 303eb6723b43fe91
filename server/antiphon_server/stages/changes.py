"""What whoever changes providers needs to know of those that serve."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from antiphon_providers.errors import ProviderError
from antiphon_server.settings import Candidate
from antiphon_server.stages.lineup import Lineup

_SECRET = re.compile("key|token|secret|password|header|credential|auth", re.IGNORECASE)
_USER = re.compile(r"(?<=//)[^/@\s]+(?=@)")
"""Name and password in a URL."""
_BEGINNING = 100
"""Characters after which messages break off what they quote."""
_SHORTEST = 4
"""Shorter ones are no secrets, and would be found in every word."""


class ChangeFailed(Exception):
    """A stage cannot be served as wanted, and goes on as it was."""

    def __init__(self, setting: str, failure: ProviderError) -> None:
        super().__init__(failure.message)
        self.setting = setting
        self.failure = failure


class Stages(Protocol):
    """The stages of a node, by setting."""

    @property
    def lineups(self) -> Mapping[str, Lineup]:
        """Who serves."""
        ...

    async def change(self, wanted: Mapping[str, Sequence[Candidate]]) -> Mapping[str, Lineup]:
        """These stages are served by others from their next turns on; those that have changed.

        Raises ``ChangeFailed``, and nothing has changed then.
        """
        ...


def same(one: Sequence[Candidate], other: Sequence[Candidate]) -> bool:
    """Whether these are the same providers with the same options, in the same order."""
    return [(each.name, each.options) for each in one] == [
        (each.name, each.options) for each in other
    ]


def without_secrets(text: str, chosen: Iterable[Candidate]) -> str:
    """The text without the values of options that sound like a secret, for people and logs."""
    values = {
        part
        for each in chosen
        for name, value in each.options.items()
        if _SECRET.search(name)
        for part in (value, value.strip(), value[:_BEGINNING])
        if len(part) >= _SHORTEST
    }
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "***")
    return _USER.sub("***", text)
