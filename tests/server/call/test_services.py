"""What a call is served by can be named, for logs, metrics and clients."""

from __future__ import annotations

from antiphon_providers import registry
from antiphon_server.call.ears import HearingServices
from antiphon_server.call.reply import SpeakingServices
from antiphon_server.call.services import Services


def test_each_stage_is_named_after_its_provider() -> None:
    """The stages of the timeline begin with these names."""
    services = Services(
        HearingServices(
            registry.create("voice_activity", "scripted"),
            registry.create("turn_model", "scripted"),
            registry.create("speech_to_text", "scripted"),
        ),
        SpeakingServices(
            registry.create("language_model", "dialogue"),
            registry.create("text_to_speech", "scripted"),
        ),
    )
    assert services.names == {
        "voice_activity": "scripted",
        "turn_detection": "scripted",
        "speech_to_text": "scripted",
        "language_model": "dialogue",
        "text_to_speech": "scripted",
    }
