"""The settings: read once, from the environment, with errors that help."""

from pathlib import Path

import msgspec
import pytest

from antiphon_server import settings as settings_module
from antiphon_server.settings import (
    PREFIX,
    STAGE_OPTIONS,
    Candidate,
    Settings,
    SettingsError,
    read,
)


def test_without_variables_everything_has_its_default() -> None:
    """A server that starts on loopback, open, with models that need no network."""
    settings = read({})
    assert settings == Settings(options={stage: {} for stage in STAGE_OPTIONS})
    assert settings.host == "127.0.0.1"
    assert settings.is_open


@pytest.mark.parametrize(
    ("variable", "raw", "name", "expected"),
    [
        ("ANTIPHON_PORT", "9000", "port", 9000),
        ("ANTIPHON_PORT", " 0 ", "port", 0),
        ("ANTIPHON_API_KEYS", "one, two ,,three", "api_keys", ("one", "two", "three")),
        ("ANTIPHON_API_KEYS", "", "api_keys", ()),
        ("ANTIPHON_FORMER_VOICES", "false", "former_voices", False),
        ("ANTIPHON_FORMER_VOICES", "1", "former_voices", True),
        ("ANTIPHON_FORMER_DIALECTS", "0", "former_dialects", False),
        ("ANTIPHON_ONE_TIME_TOKENS", "true", "one_time_tokens", True),
        ("ANTIPHON_DATA_DIR", "/srv/antiphon", "data_dir", "/srv/antiphon"),
        ("ANTIPHON_RECORDING", "true", "recording", True),
        ("ANTIPHON_RETENTION_DAYS", "0", "retention_days", 0),
        (
            "ANTIPHON_OUTBOUND_ALLOW",
            "llm:8000,10.0.0.7:80",
            "outbound_allow",
            ("llm:8000", "10.0.0.7:80"),
        ),
        ("ANTIPHON_RESUME_SECONDS", "0", "resume_seconds", 0),
        ("ANTIPHON_MAX_SESSIONS_PER_KEY", "3", "max_sessions_per_key", 3),
        ("ANTIPHON_TOOL_GROUNDING", "off", "tool_grounding", "off"),
        ("ANTIPHON_FIRST_MESSAGE_SECONDS", "0.5", "first_message_seconds", 0.5),
        ("ANTIPHON_LOG_LEVEL", "debug", "log_level", "debug"),
        ("ANTIPHON_STT", "scripted", "stt", "scripted"),
    ],
)
def test_each_setting_is_read_from_its_variable(
    variable: str, raw: str, name: str, expected: object
) -> None:
    """Numbers, booleans and lists in the usual ways of writing them."""
    assert getattr(read({variable: raw}), name) == expected


@pytest.mark.parametrize(
    ("variable", "raw"),
    [
        ("ANTIPHON_PORT", "abc"),
        ("ANTIPHON_PORT", "65536"),
        ("ANTIPHON_PORT", "-1"),
        ("ANTIPHON_PORT", "1.5"),
        ("ANTIPHON_MAX_SESSIONS", "0"),
        ("ANTIPHON_MAX_SESSION_SECONDS", "59"),
        ("ANTIPHON_MAX_SESSION_SECONDS", "10801"),
        ("ANTIPHON_MAX_MESSAGE_BYTES", "100"),
        ("ANTIPHON_FIRST_MESSAGE_SECONDS", "0"),
        ("ANTIPHON_FIRST_MESSAGE_SECONDS", "nan"),
        ("ANTIPHON_PING_SECONDS", "-5"),
        ("ANTIPHON_AUDIO_LEAD_MS", "19"),
        ("ANTIPHON_FORMER_VOICES", "perhaps"),
        ("ANTIPHON_FORMER_DIALECTS", "sometimes"),
        ("ANTIPHON_ONE_TIME_TOKENS", "2"),
        ("ANTIPHON_RECORDING", "sometimes"),
        ("ANTIPHON_RETENTION_DAYS", "-1"),
        ("ANTIPHON_RESUME_SECONDS", "301"),
        ("ANTIPHON_MAX_SESSIONS_PER_KEY", "0"),
        ("ANTIPHON_SESSIONS_PER_MINUTE_PER_KEY", "0"),
        ("ANTIPHON_TOOL_GROUNDING", "some"),
        ("ANTIPHON_LOG_LEVEL", "loud"),
        ("ANTIPHON_LOG_FORMAT", "xml"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(variable: str, raw: str) -> None:
    """The message begins with the variable, so that it can be found."""
    with pytest.raises(SettingsError, match=f"^{variable} cannot be used: "):
        read({variable: raw})


def test_an_unknown_variable_is_refused_with_the_nearest_one() -> None:
    """A typing error must not be a setting that silently does nothing."""
    with pytest.raises(SettingsError, match="ANTIPHON_API_KYES: did you mean ANTIPHON_API_KEYS"):
        read({"ANTIPHON_API_KYES": "k"})
    with pytest.raises(SettingsError, match=r"ANTIPHON_QQQQ: see docs/reference/settings\.md"):
        read({"ANTIPHON_QQQQ": "k"})
    with pytest.raises(SettingsError):
        read({"ANTIPHON_OPTIONS": "{}"})


def test_variables_of_others_are_none_of_its_business() -> None:
    """Those of the SDK, and all without the prefix."""
    others = dict.fromkeys(settings_module.OTHER_VARIABLES, "x")
    assert read({**others, "PATH": "/bin", "PORT": "99", "antiphon_port": "1"}) == read({})


def test_options_of_providers_are_kept_by_stage() -> None:
    """As text, untouched: the provider knows what they mean."""
    settings = read(
        {"ANTIPHON_LLM_BASE_URL": " http://x ", "ANTIPHON_TTS_VOICE": "v", "ANTIPHON_STT_A_B": "1"}
    )
    assert settings.options["llm"] == {"base_url": " http://x "}
    assert settings.options["tts"] == {"voice": "v"}
    assert settings.options["stt"] == {"a_b": "1"}


def test_several_providers_of_a_stage_each_have_their_own_options() -> None:
    """In order of preference; the second one's options have its number."""
    settings = read(
        {
            "ANTIPHON_LLM": "openai, anthropic,dialogue",
            "ANTIPHON_LLM_MODEL": "first",
            "ANTIPHON_LLM_2_MODEL": "second",
            "ANTIPHON_LLM_2_API_KEY": "k",
        }
    )
    assert settings.candidates("llm") == (
        Candidate("llm", "openai", {"model": "first"}),
        Candidate("llm_2", "anthropic", {"model": "second", "api_key": "k"}),
        Candidate("llm_3", "dialogue", {}),
    )
    assert settings.candidates("tts") == (Candidate("tts", "local", {}),)
    assert "api_key" not in repr(settings.candidates("llm"))


def test_options_of_a_provider_that_is_not_named_are_a_mistake() -> None:
    """They would silently do nothing."""
    with pytest.raises(SettingsError, match="ANTIPHON_LLM_2_MODEL is of provider 2, which"):
        read({"ANTIPHON_LLM_2_MODEL": "second"})
    with pytest.raises(SettingsError, match="ANTIPHON_TTS_3_VOICE"):
        read({"ANTIPHON_TTS": "local,flite", "ANTIPHON_TTS_3_VOICE": "v"})


def test_a_model_for_whole_turns_is_chosen_by_name() -> None:
    """None by default; options without a name would silently do nothing."""
    assert read({}).candidates("s2s") == ()
    chosen = read({"ANTIPHON_S2S": "openai", "ANTIPHON_S2S_API_KEY": "k"}).candidates("s2s")
    assert chosen == (Candidate("s2s", "openai", {"api_key": "k"}),)
    told = "ANTIPHON_S2S_API_KEY is of a provider that ANTIPHON_S2S does not name"
    with pytest.raises(SettingsError, match=told):
        read({"ANTIPHON_S2S_API_KEY": "k"})
    with pytest.raises(SettingsError, match="ANTIPHON_S2S_2_MODEL is of provider 2, which"):
        read({"ANTIPHON_S2S": "openai", "ANTIPHON_S2S_2_MODEL": "m"})


def test_the_policy_for_failures_has_options_of_its_own() -> None:
    """As text, like those of providers."""
    assert read({"ANTIPHON_POLICY_HEDGE": "true"}).options["policy"] == {"hedge": "true"}


def test_a_base_url_chooses_the_openai_provider() -> None:
    """Unless another is chosen by name."""
    address = {"ANTIPHON_LLM_BASE_URL": "http://127.0.0.1:8000/v1"}
    assert read(address).llm == "openai"
    assert read({**address, "ANTIPHON_LLM": "scripted"}).llm == "scripted"
    assert read(address, llm="scripted").llm == "scripted"
    assert read({"ANTIPHON_LLM_BASE_URL": ""}).llm == "dialogue"


def test_the_command_line_wins() -> None:
    """An option that is not given changes nothing."""
    assert read({"ANTIPHON_PORT": "1"}, port=2, host=None).port == 2
    assert read({"ANTIPHON_PORT": "1"}, port=None).port == 1
    with pytest.raises(SettingsError, match="ANTIPHON_PORT cannot be used"):
        read({}, port=99_999)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("10.0.0.1", False),
        ("example.com", False),
        ("", False),
        ("localhost.x", False),
    ],
)
def test_which_addresses_only_this_machine_reaches(host: str, *, here: bool) -> None:
    """A name that cannot be told counts as one that others reach."""
    assert settings_module.is_loopback(host) == here
    assert read({"ANTIPHON_HOST": host}).host == host


def test_settings_print_without_secrets() -> None:
    """Keys and options of providers stay out of logs and tracebacks."""
    settings = read({"ANTIPHON_API_KEYS": "secret-1", "ANTIPHON_LLM_API_KEY": "secret-2"})
    assert "secret" not in f"{settings!r} {settings}"


def test_settings_are_frozen() -> None:
    """Read once; nobody changes them in passing."""
    with pytest.raises(AttributeError):
        read({}).port = 1  # type: ignore[misc]


def test_every_setting_is_documented() -> None:
    """In its own words in the reference, by its variable's name."""
    page = Path(__file__).resolve().parents[2] / "docs/reference/settings.md"
    text = page.read_text("utf-8")
    for field in msgspec.structs.fields(Settings):
        if field.name != "options":
            assert f"`{PREFIX}{field.name.upper()}`" in text
