"""Keywords as the session object."""

import pytest

from antiphon.settings import SessionSettings, session_update
from antiphon_protocol import codec
from antiphon_protocol.session_config import TurnDetectionUpdate, Webhook
from antiphon_protocol.voice_agent import UpdateSession


def _wire(settings: SessionSettings) -> str:
    return codec.encode(UpdateSession(session_update(settings)))


def test_nothing_said_says_nothing() -> None:
    """An empty update has no keys, so the server's defaults stay."""
    assert _wire({}) == '{"type":"session.update","session":{}}'


def test_settings_land_where_the_wire_has_them() -> None:
    """Flat keywords become input, output and top-level keys."""
    sent = _wire(
        {
            "system_prompt": "P",
            "greeting": "",
            "voice": "alba",
            "volume": None,
            "input_encoding": "audio/pcmu",
            "output_encoding": "audio/pcm",
            "keyterms": ["Antiphon"],
            "turn_detection": TurnDetectionUpdate(min_silence=300),
            "webhook": Webhook("https://example.com", ("session.started",)),
        }
    )
    assert '"system_prompt":"P"' in sent
    assert '"greeting":""' in sent
    assert '"turn_detection":{"min_silence":300}' in sent
    assert '"keyterms":["Antiphon"]' in sent
    assert '"format":{"encoding":"audio/pcmu"' in sent
    assert '"voice":"alba","format":{"encoding":"audio/pcm"' in sent
    assert '"volume":null' in sent
    assert codec.decode_client(sent) is not None


def test_none_resets_a_setting_and_absence_keeps_it() -> None:
    """None is sent as null; what is not named is not sent."""
    sent = _wire({"keyterms": None, "turn_detection": None})
    assert sent == (
        '{"type":"session.update","session":{"input":{"turn_detection":null,"keyterms":null}}}'
    )


def test_every_setting_reaches_the_wire() -> None:
    """No keyword is accepted and then forgotten."""
    values = dict.fromkeys(SessionSettings.__annotations__, "x")
    values |= {"input_encoding": "audio/pcma", "output_encoding": "audio/pcma"}
    for name, value in values.items():
        sent = _wire({name: value})  # type: ignore[misc]
        assert sent != _wire({}), name


def test_an_unknown_setting_is_refused_by_name() -> None:
    """A typing error does not pass silently where no type checker runs."""
    with pytest.raises(TypeError, match="no such setting: speed"):
        session_update({"speed": 2})  # type: ignore[typeddict-unknown-key]
