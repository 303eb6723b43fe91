"""Models of agents' own: what they are asked, and which is asked."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from antiphon_providers.errors import ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import Chosen, Message, Prompt, Said, ToolSpec, ToolUse, Used
from antiphon_providers.resilience.policy import Policy
from antiphon_server.call import models
from antiphon_server.call.models import ModelTarget, OwnModels
from openai_peer import HELLO_SAID, KEY, asking, event, streaming, text
from outbound_peer import guarded
from raw_http import STREAM_HEAD, Answer, Exchange, raw_server
from server.call.own_models import SAYS_SECOND, SECOND, WORKING, failing, meeting
from server.call.scripted_call import sample

SWITCH = {
    "stage": "language_model",
    "provider": "own-1",
    "to": "own-2",
    "reason": "provider_unavailable",
}

# --- what is asked -----------------------------------------------------------------------


async def test_a_reply_is_asked_for_as_the_protocol_says() -> None:
    """A stream with usage, tools to choose from, the key as a bearer token (section 3.5)."""
    async with meeting(WORKING) as met:
        prompt = Prompt(
            (Message(role="system", content="be kind"), Message(role="user", content="hello")),
            (ToolSpec("find", "Finds.", {"type": "object", "properties": {}}),),
        )
        assert await met.reply(prompt) == HELLO_SAID
        request = met.servers[0].requests[0]
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    body = request.json
    assert (body["model"], body["stream"]) == ("m", True)
    assert body["stream_options"] == {"include_usage": True}
    assert body["tool_choice"] == "auto"
    assert body["tools"][0]["type"] == "function"
    assert body["tools"][0]["function"]["name"] == "find"
    assert body["messages"][0] == {"role": "system", "content": "be kind"}
    assert "reasoning_effort" not in body


@pytest.mark.parametrize(("effort", "said"), [("low", "low"), ("", None), (None, None)])
async def test_the_effort_is_sent_where_there_is_one(effort: str | None, said: str | None) -> None:
    """An empty one clears it."""
    async with meeting(WORKING) as met:
        target = ModelTarget(met.targets[0].base_url, "m", KEY, effort)
        assert [piece async for piece in met.of((target,)).reply(asking("a"))] == HELLO_SAID
        assert met.servers[0].requests[0].json.get("reasoning_effort") == said


async def test_a_call_that_starts_asks_nothing() -> None:
    """Starting and closing are the node's; the first reply connects, the next uses that."""
    async with meeting(WORKING) as met:
        model = met.model
        await model.start()
        assert (model.name, met.servers[0].connections) == ("own", 0)
        for _ in range(3):
            assert [piece async for piece in model.reply(asking("a"))] == HELLO_SAID
        await model.close()
        assert await met.reply() == HELLO_SAID
        assert met.servers[0].connections == 1


async def test_a_failure_keeps_what_the_provider_said() -> None:
    """For ``reply.error``, without the key."""
    refusal = failing(402, message=f"pay, {KEY}", code="insufficient_quota", param="model")
    async with meeting(refusal) as met:
        with pytest.raises(Refused, match=r"pay, \[api key\]") as failed:
            await met.reply()
    error = failed.value
    assert (error.status_code, error.provider_code) == (402, "insufficient_quota")
    assert error.provider_param == "model"


async def test_a_model_on_the_operators_network_is_not_asked() -> None:
    """Unless the operator allows it."""
    async with raw_server(WORKING) as server, guarded() as guard:
        own = OwnModels(guard)
        model = own.of("mine", (ModelTarget(f"{server.url}/v1", "m"),))
        with pytest.raises(Unavailable, match="must begin with https"):
            await anext(aiter(model.reply(asking("a"))))
        await own.close()
        assert server.connections == 0


@pytest.mark.parametrize("base_url", ["", "x", "file:///x", "https://u:p@a.example/"])
async def test_an_address_that_cannot_be_is_refused(base_url: str) -> None:
    """It was checked when it was stored; if not, the reply fails and nothing else."""
    async with guarded() as guard:
        model = OwnModels(guard).of("mine", (ModelTarget(base_url, "m", KEY),))
        with pytest.raises(Refused, match="cannot be asked") as failed:
            await anext(aiter(model.reply(asking("a"))))
        assert KEY not in str(failed.value)


def test_a_target_shows_no_secret() -> None:
    """Neither in logs nor in tracebacks, of any renderer."""
    target = ModelTarget("https://a.example/v1/s3cr3t?key=s3cr3t", "m", "s3cr3t")
    assert repr(target) == "ModelTarget('m' at https://a.example)"
    assert "s3cr3t" not in str(target.__rich_repr__())


# --- which is asked ----------------------------------------------------------------------


async def malformed(exchange: Exchange) -> None:
    """Streams what is none."""
    await exchange.stream(b"data: {\n\n")


async def broken(exchange: Exchange) -> None:
    """Breaks off before the first word."""
    await exchange.send(STREAM_HEAD)
    exchange.reset()


async def mute(exchange: Exchange) -> None:
    """Says nothing."""
    await exchange.stream(
        event({"choices": [{"delta": {}, "finish_reason": "stop"}]}), event(b"[DONE]")
    )


@pytest.mark.parametrize(
    "first", [failing(401), failing(404), failing(429), failing(500), malformed, broken, mute]
)
async def test_the_next_model_is_asked_when_one_fails_before_its_first_word(first: Answer) -> None:
    """The user hears nothing of it."""
    async with meeting(first, SAYS_SECOND) as met:
        assert await met.reply() == SECOND
        assert met.asked == [1, 1]


async def test_a_model_that_hangs_is_not_waited_for_where_there_is_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Longer than the policy says; the last one has the rest of the time."""

    async def hangs(exchange: Exchange) -> None:
        await exchange.until_left()

    async with meeting(hangs, hangs, SAYS_SECOND) as met:
        met.policy = Policy(first_ms=100, budget_ms=10_000)
        assert await met.reply() == SECOND
        assert met.asked == [1, 1, 1]
    monkeypatch.setattr(models, "READ_MS", 200)
    async with meeting(hangs, hangs) as met:
        met.policy = Policy(first_ms=100, budget_ms=200)
        with pytest.raises(TooSlow):
            await met.reply()


@pytest.mark.parametrize(
    "begun",
    [
        text("Hel"),
        event({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"name": "f"}}]}}]}),
    ],
)
async def test_no_other_model_is_asked_once_there_were_words(begun: bytes) -> None:
    """Words cannot be taken back. A tool call that did not come whole is no word yet."""

    async def breaks(exchange: Exchange) -> None:
        await exchange.send(STREAM_HEAD)
        await exchange.chunks(begun)
        exchange.reset()

    async with meeting(breaks, SAYS_SECOND) as met:
        said: list[Any] = []
        if b"content" in begun:
            with pytest.raises(Unavailable):
                said.extend([piece async for piece in met.model.reply(asking("a"))])
            assert met.asked == [1, 0]
        else:
            assert await met.reply() == SECOND


async def test_a_model_of_ones_own_has_its_time() -> None:
    """However impatient the operator is with his own: there is nobody else to ask."""

    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.3)
        await WORKING(exchange)

    async with meeting(slow) as met:
        met.policy = Policy(first_ms=50, budget_ms=100, progress_ms=100)
        assert await met.reply() == HELLO_SAID


async def test_a_tool_call_is_a_reply() -> None:
    """It needs no words beside it."""
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
    calling = event({"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]})
    async with meeting(streaming(calling), WORKING) as met:
        assert await met.reply() == [Used(ToolUse("c", "f", {}))]
        assert met.asked == [1, 0]


async def test_the_last_failure_is_told_when_all_fail() -> None:
    """There is nobody left to ask."""
    async with meeting(failing(500), failing(429), failing(403)) as met:
        with pytest.raises(ProviderError) as failed:
            await met.reply()
        assert (failed.value.status_code, met.asked) == (403, [1, 1, 1])


async def test_a_dead_model_is_probed_now_and_then_for_all_calls_of_an_agent() -> None:
    """Every call of the agent knows what befell the others; once a probe succeeds it is first
    again.
    """
    async with meeting(failing(503), SAYS_SECOND) as met:
        for _ in range(20):
            assert await met.reply() == SECOND
        assert met.asked == [met.policy.consecutive_failures, 20]
        met.clock.now += met.policy.cooldown_ms / 1000
        for _ in range(20):
            assert await met.reply() == SECOND
        assert met.asked == [met.policy.consecutive_failures + 1, 40]
        met.clock.now += 2 * met.policy.cooldown_ms / 1000
        met.servers[0].answer = WORKING
        for _ in range(2):
            assert await met.reply() == HELLO_SAID
        assert met.asked == [met.policy.consecutive_failures + 3, 40]


async def test_what_befell_one_account_is_nothing_to_another() -> None:
    """With the same address, model and key: nobody can lock a model for others."""
    async with meeting(failing(401), SAYS_SECOND) as met:
        for account in ("mine", "mine", "theirs", "theirs"):
            assert await met.words(met.of(met.targets, account)) == SECOND
        assert met.asked == [2, 4]


async def test_a_lone_model_is_always_asked() -> None:
    """Nobody stands in for it: an attempt that may succeed is better than none."""
    async with meeting(failing(401)) as met:
        for _ in range(5):
            with pytest.raises(Refused):
                await met.reply()
        met.servers[0].answer = WORKING
        assert await met.reply() == HELLO_SAID


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_request_that_is_refused_says_nothing_of_the_model(status: int) -> None:
    """One conversation was too long for it, say; the next is not. It is told at once, as of every
    provider (see ``antiphon_providers.resilience.language_model``).
    """
    async with meeting(failing(status), SAYS_SECOND) as met:
        for _ in range(5):
            with pytest.raises(Refused) as refused:
                await met.reply()
            assert refused.value.status_code == status
        assert met.asked == [5, 0]
        met.servers[0].answer = WORKING
        assert await met.reply() == HELLO_SAID


async def test_a_switch_is_in_the_reply_and_in_the_metrics() -> None:
    """By places, for an address may hold a secret and a name may be any text."""
    before = sample("antiphon_provider_switches_total", **SWITCH)
    async with meeting(failing(503), SAYS_SECOND) as met:
        pieces = [piece async for piece in met.model.reply(asking("a"))]
    assert pieces == [Chosen("own-2", "m", SWITCH["reason"]), *SECOND]
    assert sample("antiphon_provider_switches_total", **SWITCH) == before + 1


async def test_a_reply_that_is_given_up_asks_no_other_model() -> None:
    """An interruption is no failure, and closes the connection."""
    left = asyncio.Event()

    async def pauses(exchange: Exchange) -> None:
        await exchange.send(STREAM_HEAD)
        await exchange.chunks(text("Hel"))
        await exchange.until_left()
        left.set()

    async with meeting(pauses, WORKING) as met:
        async with aclosing(met.model.reply(asking("a"))) as pieces:  # type: ignore[type-var]
            assert await anext(pieces) == Said("Hel")
        await asyncio.wait_for(left.wait(), 5)
        assert met.asked == [1, 0]
        met.servers[0].answer = WORKING
        assert await met.reply() == HELLO_SAID
        assert met.asked == [2, 0]
