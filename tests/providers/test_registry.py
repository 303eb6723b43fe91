"""How providers are found by name, also those that other packages bring."""

from pathlib import Path

import pytest

from antiphon_providers import registry
from antiphon_providers.errors import NotInstalled, Refused
from antiphon_providers.scripted import ScriptedLanguageModel

SCRIPTED: list[registry.Stage] = [
    "voice_activity",
    "turn_model",
    "speech_to_text",
    "language_model",
    "text_to_speech",
]


@pytest.fixture
def carillon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that somebody else wrote and installed; one of its providers lacks a library."""
    (tmp_path / "carillon.py").write_text(
        "import msgspec\n"
        "class Options(msgspec.Struct):\n"
        "    bells: int\n"
        "class Carillon:\n"
        "    def __init__(self, options):\n"
        "        self.options = options\n"
        "class Tuned(Carillon):\n"
        "    Options = Options\n"
    )
    (tmp_path / "carillon_broken.py").write_text("import a_library_that_is_missing\n")
    about = tmp_path / "carillon-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: carillon\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[antiphon.text_to_speech]\n"
        "carillon = carillon:Carillon\n"
        "carillon-tuned = carillon:Tuned\n"
        "carillon-broken = carillon_broken:Carillon\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize("stage", SCRIPTED)
def test_each_stage_has_a_scripted_provider(stage: registry.Stage) -> None:
    """Made from no settings at all, and named as it was asked for."""
    provider = registry.create(stage, "scripted")
    assert provider.name == "scripted"


def test_settings_become_options_of_their_types() -> None:
    """Text in, numbers out."""
    model = registry.create("language_model", "scripted", {"first_token_ms": "250"})
    assert isinstance(model, ScriptedLanguageModel)
    assert model.options.first_token_ms == 250


@pytest.mark.parametrize("stage", registry.STAGES)
def test_an_unknown_name_is_answered_with_the_known_ones(stage: registry.Stage) -> None:
    """A misspelt setting is found in one look."""
    with pytest.raises(Refused, match=r"there is no .* 'nobody'; installed: ") as refused:
        registry.create(stage, "nobody")
    assert all(name in str(refused.value) for name in registry.installed(stage))


def test_a_setting_that_cannot_be_is_refused_with_the_options_there_are() -> None:
    """An unknown one and one of the wrong type."""
    for settings in ({"tempo": "fast"}, {"first_token_ms": "soon"}):
        with pytest.raises(Refused, match=r"its options: .*first_token_ms"):
            registry.create("language_model", "scripted", settings)


@pytest.mark.usefixtures("carillon")
def test_a_package_brings_its_provider() -> None:
    """By its entry point alone; its options are its own."""
    assert "carillon" in registry.installed("text_to_speech")
    speaker = registry.create("text_to_speech", "carillon-tuned", {"bells": "23"})
    assert speaker.options.bells == 23
    with pytest.raises(Refused, match="missing required field `bells`"):
        registry.create("text_to_speech", "carillon-tuned")


@pytest.mark.usefixtures("carillon")
def test_a_provider_without_options_takes_none() -> None:
    """A setting for it is a mistake that is told."""
    assert registry.create("text_to_speech", "carillon").options == registry.NoOptions()
    with pytest.raises(Refused, match="its options: none"):
        registry.create("text_to_speech", "carillon", {"bells": "23"})


@pytest.mark.usefixtures("carillon")
def test_a_provider_whose_library_is_missing_says_which() -> None:
    """Instead of a traceback."""
    with pytest.raises(NotInstalled, match="a_library_that_is_missing") as missing:
        registry.create("text_to_speech", "carillon-broken")
    assert missing.value.provider == "carillon-broken"


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        (stage, name)
        for stage in registry.STAGES
        if stage != "noise_suppression"  # That takes no options.
        for name in sorted(registry.installed(stage))
    ],
)
def test_the_options_of_every_provider_can_be_set_from_text(
    stage: registry.Stage, name: str
) -> None:
    """Their types are such that a value can be read, and a wrong name is told."""
    with pytest.raises(Refused, match="cannot use its settings"):
        registry.create(stage, name, {"no_such_option": "1"})
