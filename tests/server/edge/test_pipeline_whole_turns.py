"""The model that hears and speaks, as settings choose it."""

from __future__ import annotations

import pytest

from antiphon_providers.errors import NotInstalled, ProviderError, Unavailable
from antiphon_providers.interfaces import ConversationOptions, Message, Prompt, Said
from antiphon_providers.scripted import ScriptedSpeechToSpeech
from antiphon_server.edge.backstage import StartFailed
from antiphon_server.edge.pipeline import Pipeline
from antiphon_server.settings import read
from server.edge.asgi_client import SCRIPTED

HELLO = Message(role="user", content="hello")


def made(**variables: str) -> Pipeline:
    """A pipeline of twins with these settings, not yet started."""
    own = {f"ANTIPHON_{name}": text for name, text in variables.items()}
    pipeline = Pipeline(read({**SCRIPTED, **own}))
    pipeline.create()
    return pipeline


def test_there_is_none_unless_it_is_named() -> None:
    """A server does without."""
    assert made().speech_to_speech is None


async def test_it_is_made_with_its_options_and_closed_with_the_others() -> None:
    """Like the provider of any stage."""
    pipeline = made(S2S="scripted", S2S_REPLIES="Fine.")
    await pipeline.start()
    (candidate,) = pipeline.lineups["s2s"].candidates
    model = candidate.provider
    assert pipeline.speech_to_speech is pipeline.providers["s2s"]
    assert isinstance(model, ScriptedSpeechToSpeech)
    assert model.options.replies == "Fine."
    await pipeline.close()


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"S2S": "nothing"}, r"speech to speech cannot start: .*'nothing'.*ANTIPHON_S2S"),
        ({"S2S": "scripted", "S2S_COLOUR": "red"}, r"its options: .*first_sound_ms"),
    ],
)
def test_one_that_cannot_be_is_told(variables: dict[str, str], told: str) -> None:
    """Which setting, and what would do."""
    with pytest.raises(StartFailed, match=told):
        made(**variables)


async def test_several_stand_in_for_each_other() -> None:
    """A call has the first that opens a conversation for it."""
    pipeline = made(
        S2S="scripted,scripted", S2S_HEARING_FAULT="unavailable at open", S2S_2_REPLIES="Second."
    )
    await pipeline.start()
    model = pipeline.speech_to_speech
    assert model is not None
    async with model.open(ConversationOptions()) as conversation:
        pieces = [piece async for piece in conversation.reply(Prompt((HELLO,)))]
    assert "".join(piece.text for piece in pieces if isinstance(piece, Said)).strip() == "Second."
    health = pipeline.watches["s2s"].health
    assert health["scripted-1"].last_failure == "provider_unavailable"
    await pipeline.close()


class Failing(ScriptedSpeechToSpeech):
    """One that does not start."""

    def __init__(self, failure: ProviderError) -> None:
        super().__init__()
        self._failure = failure

    async def start(self) -> None:
        """Fails."""
        raise self._failure


async def test_one_that_is_not_there_yet_is_a_warning() -> None:
    """The others serve until it is; one that can never be there stops the start."""
    pipeline = made(S2S="scripted")
    pipeline.providers["s2s"] = Failing(Unavailable("not yet"))
    await pipeline.start()
    await pipeline.close()
    pipeline = made(S2S="scripted")
    pipeline.providers["s2s"] = Failing(NotInstalled("a file is missing"))
    with pytest.raises(StartFailed, match="speech to speech cannot start: a file is missing"):
        await pipeline.start()
