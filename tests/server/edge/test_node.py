"""What all calls of a process share: providers that start or say why not, and capacity."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from msgspec.structs import replace

from antiphon_protocol.errors import (
    AtCapacity,
    ConcurrencyExceeded,
    InternalError,
    InvalidWebhook,
    Unauthorized,
)
from antiphon_protocol.rest_agents import Model
from antiphon_providers.errors import NotInstalled
from antiphon_providers.scripted import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
)
from antiphon_server.edge.backstage import StartFailed
from antiphon_server.edge.node import SPARE_SOCKETS, Node
from antiphon_server.observe.traces import Sampling, Traces
from antiphon_server.security.admission import ANYBODY, Admission
from antiphon_server.security.secrets import Unsealable
from antiphon_server.settings import STAGE_OPTIONS, read
from antiphon_server.store.agents import Agents
from antiphon_server.store.bound_agents import AgentSecrets, BoundAgent
from antiphon_server.store.database import Unreachable
from antiphon_server.store.webhook_outbox import inline_context
from server.edge.asgi_client import SCRIPTED
from server.observe.kept_spans import KeptSpans
from server.store.agent_bodies import PLAIN, SECRETS, SERVER_TOOL


class Made(Protocol):
    """Makes a node with these settings."""

    def __call__(self, **variables: str) -> Node:
        """It is closed after the test."""
        ...


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Made]:
    """Nodes with a data folder of their own."""
    nodes: list[Node] = []

    def make(**variables: str) -> Node:
        own = {"ANTIPHON_DATA_DIR": str(tmp_path / str(len(nodes)))}
        settings = {f"ANTIPHON_{name}": text for name, text in variables.items()}
        nodes.append(Node(read({**SCRIPTED, **own, **settings})))
        return nodes[-1]

    yield make
    for node in nodes:
        await node.close()


async def test_a_node_makes_and_starts_its_providers(made: Made) -> None:
    """By name, with their options as types; ready once all have started, not after the end."""
    node = made(TTS_CHUNK_MS="300", AUDIO_LEAD_MS="120")
    node.create()
    assert not node.ready
    await node.start()
    assert node.ready
    services = node.services
    (voice,) = node.pipeline.providers["tts"].current.candidates
    assert isinstance(voice.provider, ScriptedTextToSpeech)
    assert voice.provider.options.chunk_ms == 300
    assert services.speaking.text_to_speech is node.pipeline.providers["tts"]
    assert services.audio_lead_ms == 120
    assert set(services.names.values()) == {"scripted"}
    await node.close()
    assert not node.ready


@pytest.mark.parametrize("stage", sorted(STAGE_OPTIONS))
async def test_a_provider_that_is_not_there_is_told_with_those_that_are(
    made: Made, stage: str
) -> None:
    """Which setting, which name, and what would do."""
    with pytest.raises(StartFailed) as failed:
        made(**{stage.upper(): "nothing"}).create()
    message = str(failed.value)
    assert STAGE_OPTIONS[stage].replace("_", " ") in message
    assert "'nothing'" in message
    assert "scripted" in message
    assert f"ANTIPHON_{stage.upper()}" in message


async def test_an_option_that_cannot_be_is_told(made: Made) -> None:
    """A wrong type, a wrong name: with the options there are."""
    for option, raw in (("FIRST_TOKEN_MS", "soon"), ("TEMPERATURE", "1")):
        with pytest.raises(StartFailed, match="first_token_ms"):
            made(**{f"LLM_{option}": raw}).create()


async def test_traces_that_cannot_be_sent_are_told(made: Made) -> None:
    """Before anything runs: which setting, and what would do."""
    with pytest.raises(StartFailed, match="ANTIPHON_OTLP_ENDPOINT cannot be used"):
        made(OTLP_ENDPOINT="collector:4317").create()


async def test_traces_are_off_by_default_and_end_with_the_node(made: Made) -> None:
    """What is left of them is sent then."""
    node, kept = made(), KeptSpans()
    node.create()
    assert node.traces is None
    node.traces = Traces(kept, Sampling())
    await node.close()
    assert kept.closed == 1
    node.traces = None


async def test_noise_suppression_that_is_unknown_is_a_mistake(made: Made) -> None:
    """Unlike one that is merely not installed, which costs voice focus only."""
    with pytest.raises(StartFailed, match="ANTIPHON_NOISE"):
        made(NOISE="nothing").create()


async def test_a_provider_that_cannot_start_stops_the_others(made: Made) -> None:
    """The message says which; nothing is left running."""
    node = made()
    node.create()
    closed: list[str] = []

    class Missing(ScriptedLanguageModel):
        async def start(self) -> None:
            raise NotInstalled("it needs a file that is not there", provider="missing")

        async def close(self) -> None:
            closed.append("llm")

    class Watched(ScriptedSpeechToText):
        async def close(self) -> None:
            closed.append("stt")

    node.pipeline.providers.update(llm=Missing(), stt=Watched())
    with pytest.raises(StartFailed, match="language model cannot start: it needs a file"):
        await node.start()
    assert sorted(closed) == ["llm", "stt"]
    assert not node.ready


async def test_a_provider_that_fails_to_close_keeps_no_other_from_it(made: Made) -> None:
    """All are closed, whatever one of them does."""
    node = made()
    node.create()
    closed: list[str] = []

    class Stuck(ScriptedLanguageModel):
        async def close(self) -> None:
            raise ZeroDivisionError

    class Watched(ScriptedSpeechToText):
        async def close(self) -> None:
            closed.append("stt")

    node.pipeline.providers.update(llm=Stuck(), stt=Watched())
    await node.start()
    await node.close()
    assert closed == ["stt"]


async def test_capacity_is_what_the_operator_set(made: Made) -> None:
    """One more is refused; one that left makes room for one, and only once."""
    node = made(MAX_SESSIONS="2")
    anybody = Admission(account=ANYBODY)
    first = node.enter(anybody)
    node.enter(anybody)
    with pytest.raises(AtCapacity) as refused:
        node.enter(anybody)
    assert refused.value.close_code == 1008
    first.leave()
    first.leave()
    node.enter(anybody)
    with pytest.raises(AtCapacity):
        node.enter(anybody)


async def test_what_cannot_be_journalled_is_not_begun(made: Made, tmp_path: Path) -> None:
    """An operator who wants journals of all calls gets them; the folder is asked at the start."""
    folder = tmp_path / "journals"
    node = made(JOURNAL_DIR=str(folder))
    folder.rmdir()
    folder.touch()
    node.create()
    await node.start()
    assert node.troubles == ["journals of calls cannot be written: File exists"]
    with pytest.raises(AtCapacity):
        node.enter(Admission(account=ANYBODY))


async def test_a_server_says_whether_it_starts_or_stops(made: Made) -> None:
    """Once it stops nobody comes in."""
    node = made()
    assert node.troubles == ["the server is starting"]
    node.create()
    await node.start()
    assert node.troubles == []
    await node.farewell()
    assert node.troubles == ["the server is stopping"]
    with pytest.raises(AtCapacity):
        node.enter(Admission(account=ANYBODY))


async def test_a_key_has_a_limit_of_its_own(made: Made) -> None:
    """Another key has room, and the refused session took none."""
    node = made(MAX_SESSIONS_PER_KEY="1")
    one, other = (Admission(account=name, key_id=name) for name in ("one", "other"))
    room = node.enter(one)
    with pytest.raises(ConcurrencyExceeded) as refused:
        node.enter(one)
    assert refused.value.close_code == 1008
    node.enter(other).leave()
    room.leave()
    node.enter(one).leave()
    assert node._sessions == 0


async def test_sockets_are_limited_beyond_the_sessions(made: Made) -> None:
    """So that nobody fills the server with those that say nothing; each gives its room back."""
    node = made(MAX_SESSIONS="1")
    with ExitStack() as sockets:
        for _ in range(2 + SPARE_SOCKETS):
            sockets.enter_context(node.socket())
        with pytest.raises(AtCapacity), node.socket():
            pass
    with node.socket():
        pass


async def test_keys_are_the_operators(made: Made) -> None:
    """Those of the settings."""
    keys = made(API_KEYS="a,b").keys
    await keys.admit("b")
    with pytest.raises(Unauthorized):
        await keys.admit("c")


# --- what a session asks of it -------------------------------------------------------------


async def test_an_agent_is_bound_for_its_own_account(made: Made) -> None:
    """With its tools and models; for any other account there is none."""
    node = made(OUTBOUND_ALLOW="127.0.0.1:9")
    plain = await node.backstage.agents.add("mine", PLAIN, AgentSecrets())
    body = replace(PLAIN, tools=(SERVER_TOOL,), llm=(Model("http://127.0.0.1:9/v1", "large"),))
    own = await node.backstage.agents.add("mine", body, SECRETS)
    bound = await node.bind("mine", plain.id)
    assert bound is not None
    assert (bound.config.system_prompt, bound.http, bound.language_model) == ("Be brief.", {}, None)
    bound = await node.bind("mine", own.id)
    assert bound is not None
    assert bound.language_model is not None
    assert bound.language_model.name != "scripted"
    assert bound.http["order"].url == "https://tools.example/order"
    assert await node.bind("theirs", own.id) is None
    assert await node.bind("mine", f"agent_{0:032x}") is None


async def test_an_agent_that_cannot_be_read_is_a_fault_of_ours(made: Made) -> None:
    """The database is away, or its secrets were sealed with a key that is gone: 1011, and no
    word of why.
    """
    node = made()
    agents = node.backstage.agents

    class Away(Agents):
        def __init__(self, failure: Exception) -> None:
            self._failure = failure

        async def bind(self, *_whose: Any, **_how: Any) -> BoundAgent | None:
            raise self._failure

    for failure in (Unreachable("canary"), Unsealable("canary")):
        node.backstage.agents = Away(failure)
        with pytest.raises(InternalError) as told:
            await node.bind("mine", "agent_1")
        assert "canary" not in told.value.message
        assert told.value.close_code == 1011
    node.backstage.agents = agents


async def test_a_webhook_is_sealed_for_its_session(made: Made) -> None:
    """Once it has been checked; one that may not be reached is refused."""
    node = made(OUTBOUND_ALLOW="127.0.0.1:9")
    hook = {"url": "https://127.0.0.1:9/hook", "events": ["session.completed"]}
    sealed = await node.seal_webhook("sess_1", hook)
    vault = node.backstage.vault
    assert b"127.0.0.1" in vault.open(sealed, inline_context("sess_1"))
    with pytest.raises(Unsealable):
        vault.open(sealed, inline_context("sess_2"))
    with pytest.raises(InvalidWebhook):
        await node.seal_webhook("sess_1", {**hook, "url": "https://127.0.0.1:10/hook"})
