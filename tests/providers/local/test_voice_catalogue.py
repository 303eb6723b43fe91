"""Every name of the protocol has a voice here."""

import pytest

from antiphon_protocol.session_config import FORMER_VOICES, VOICES
from antiphon_providers.errors import Refused
from antiphon_providers.local.voice_catalogue import CATALOGUE, voice_named


def test_the_catalogue_is_the_protocols_catalogue() -> None:
    """Present and former names, no more and no fewer."""
    assert sorted(CATALOGUE) == sorted([*VOICES, *FORMER_VOICES])


def test_no_two_present_voices_sound_the_same() -> None:
    """Each has a speaker, pitch and pace of its own; so have the former ones."""
    assert len({CATALOGUE[name] for name in VOICES}) == len(VOICES)
    assert len({CATALOGUE[name] for name in FORMER_VOICES}) == len(FORMER_VOICES)


@pytest.mark.parametrize(
    ("name", "female"),
    [("anna", True), ("vera", True), ("ivy", True), ("george", False), ("dmitri", False)],
)
def test_names_are_spoken_by_their_gender(name: str, female: bool) -> None:
    """Some that leave no doubt."""
    assert voice_named(name, "test").is_female is female


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    """The error names the provider and the voices."""
    with pytest.raises(Refused, match="'nobody'; voices: alba, anna") as error:
        voice_named("nobody", "flite")
    assert error.value.provider == "flite"
