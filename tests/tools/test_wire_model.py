"""The wire as one schema."""

from __future__ import annotations

from antiphon_protocol.errors import CODES
from wire_model import definitions, markdown, references, summary, unions


def test_a_range_a_default_and_a_meaning_are_there_for_what_a_client_sends() -> None:
    """The default is that of the effective configuration."""
    silence = definitions()["TurnDetectionUpdate"]["properties"]["min_silence"]
    assert silence["anyOf"] == [
        {"type": "integer", "minimum": 50, "maximum": 10_000},
        {"type": "null"},
    ]
    assert silence["default"] == 1000
    assert "Milliseconds" in silence["description"]


def test_the_server_always_sends_every_field() -> None:
    """So its fields are all required, but for one that is there at former addresses only, and
    one that is ours; a client's are not.
    """
    for name in ("SessionError", "ReplyAudio", "SessionConfig", "InputConfig", "AudioFormat"):
        schema = definitions()[name]
        assert schema["required"] == list(schema["properties"])
    call = definitions()["ToolCall"]
    assert set(call["properties"]) - set(call["required"]) == {"args", "seq"}
    assert definitions()["UpdateSession"]["required"] == ["type"]
    assert "required" not in definitions()["InputUpdate"]


def test_a_field_that_passes_the_decoder_shows_its_shape() -> None:
    """A reader is told what it ought to be."""
    shown = definitions()["InputUpdate"]["properties"]["format"]
    assert shown["anyOf"] == [{"$ref": "#/$defs/AudioFormatUpdate"}, {"type": "null"}]
    assert shown["description"]
    assert "Webhook" in references(definitions()["SessionUpdate"])


def test_null_is_no_greeting() -> None:
    """Neither as a type nor as a default."""
    greeting = definitions()["SessionUpdate"]["properties"]["greeting"]
    assert greeting["type"] == "string"
    assert "default" not in greeting


def test_the_codes_of_errors_are_listed() -> None:
    """Though the decoder takes any."""
    assert definitions()["SessionError"]["properties"]["code"]["enum"] == list(CODES)


def test_every_reference_leads_somewhere() -> None:
    """In the structs and in the unions."""
    names = set(definitions())
    for schema in (definitions() | unions()).values():
        assert references(schema) <= names


def test_a_docstring_becomes_markdown() -> None:
    """Paragraphs on one line each, code in single backticks."""
    text = markdown("One ``line``\n    goes on.\n\n    Another.\n    ")
    assert text == "One `line` goes on.\n\nAnother."
    assert summary({"description": text}) == "One `line` goes on."
