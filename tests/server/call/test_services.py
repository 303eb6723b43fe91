"""What a call is served by can be named, for logs, metrics and clients."""

from __future__ import annotations

from antiphon_providers import registry
from antiphon_providers.interfaces import VoiceOptions
from antiphon_server.call.ears import HearingServices
from antiphon_server.call.reply import SpeakingServices
from antiphon_server.call.services import Services
from server.call.scripted_call import Stages
from server.call.spoken_twin import SpokenTwin
from virtual_time import in_virtual_time


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


@in_virtual_time
async def test_a_call_in_speech_shares_one_interlocutor() -> None:
    """Its ears and its replies have the same; it is named, and stands where the recogniser was."""
    twins = Stages(s2s=SpokenTwin()).services()
    services = twins.conversing(lambda: VoiceOptions("anna"))
    assert services.hearing.speech_to_text is services.speaking.interlocutor
    assert services.names == {
        "voice_activity": "scripted",
        "turn_detection": "scripted",
        "speech_to_text": "spoken",
        "language_model": "scripted",
        "text_to_speech": "scripted",
        "speech_to_speech": "spoken",
    }
    assert twins.names.keys() == services.names.keys() - {"speech_to_speech"}
    assert services.conversing(lambda: VoiceOptions("anna")).speaking.interlocutor not in (
        None,
        services.speaking.interlocutor,
    )


@in_virtual_time
async def test_without_a_model_nothing_is_shared() -> None:
    """The services are those of the node."""
    services = Stages().services()
    assert services.conversing(lambda: VoiceOptions("anna")) is services
