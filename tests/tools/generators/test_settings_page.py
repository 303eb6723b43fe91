"""The page of settings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest

from antiphon_server.settings import PREFIX, STAGE_OPTIONS, WHOLE_TURNS, Settings, read
from generators.settings_page import PATH, default_in_words, outputs, type_in_words

PAGE = outputs()[PATH]
FIELDS = [known for known in msgspec.structs.fields(Settings) if known.name != "options"]


@pytest.mark.parametrize("known", FIELDS, ids=lambda known: known.name)
def test_every_setting_has_a_row_that_says_everything(known: msgspec.structs.FieldInfo) -> None:
    """Its variable, a type, its default and a meaning."""
    variable = f"{PREFIX}{known.name.upper()}"
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{variable}` |"))
    _, _, kind, default, meaning, _ = (cell.strip() for cell in row.split("|"))
    assert kind
    assert meaning
    assert default == default_in_words(known.default)


@pytest.mark.parametrize("known", FIELDS, ids=lambda known: known.name)
def test_a_default_can_be_written_as_the_page_shows_it(known: msgspec.structs.FieldInfo) -> None:
    """Copied into the environment it changes nothing."""
    shown = default_in_words(known.default).strip("`")
    settings = read({f"{PREFIX}{known.name.upper()}": shown}) if shown else read({})
    assert getattr(settings, known.name) == known.default


def test_every_stage_has_its_prefix() -> None:
    """Options of providers cannot be listed: each provider has its own."""
    for stage in STAGE_OPTIONS | WHOLE_TURNS:
        assert f"| `{PREFIX}{stage.upper()}_…` |" in PAGE


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (int, "whole number"),
        (float | None, "number"),
        (bool, "true or false"),
        (tuple[str, ...], "text, separated by commas"),
        (tuple[Annotated[str, "a word"], ...], "text, separated by commas"),
        (Literal["a", "b"], "`a` or `b`"),
    ],
    ids=str,
)
def test_a_type_is_told_in_words(kind: object, words: str) -> None:
    """An operator need not know Python."""
    assert type_in_words(kind) == words


def test_no_default_is_an_empty_cell() -> None:
    """Null, nothing and an empty list look alike in an environment."""
    assert default_in_words(None) == default_in_words(()) == default_in_words("") == ""
    assert default_in_words(msgspec.NODEFAULT) == ""
    assert default_in_words(("a", "b")) == "`a,b`"
    assert default_in_words(False) == "`false`"
    assert default_in_words(0) == "`0`"
