"""Where the tour of secrets goes: every use of a secret, and every way to get one wrong."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import Any

import httpx

from antiphon import webhooks
from antiphon_providers.scripted.tones import tone_of
from conformance.model import Asked, Calls, Says, Script, Spoken
from conformance.peer import Response
from conformance.wire import ready
from end_to_end.product import ANTIPHON
from endurance.canaries import Canary
from endurance.processes import Process
from endurance.secrets_tour import REFUSES, Tour
from hostile.serving import environment

EVENTS = ["session.started", "session.completed"]
VOICE = tone_of(1, 400, 24_000) + bytes(24_000)
PATIENCE = {"min_silence": 100, "max_silence": 400}


async def converse(tour: Tour, server: Process) -> str:
    """A session in which everything is said, its drop, its resume and its end; returns its id."""
    said, use = tour.canaries.add_said, tour.canaries.use
    secret = tour.canaries.add_secret("secret of an inline webhook")
    argument, answer, result = said("tool argument"), said("agent's words"), said("tool result")
    prompt, greeting, keyterm = said("system prompt"), said("greeting"), said("keyterm")
    message, instructions = said("message"), said("instructions")

    def rule(asked: Asked) -> Spoken:
        calls = Calls((("look_up", {"word": str(argument)}),))
        return Says(f"You want {answer}.") if asked.steps else calls

    script = tour.scripts.add(Script(rule))
    address, box = tour.peer.box()
    settings: dict[str, Any] = {
        "system_prompt": f"{prompt} {script.mark}",
        "greeting": f"Hello, {greeting}.",
        "tools": [{"type": "function", "name": "look_up", "description": "Looks up."}],
        "input": {"turn_detection": PATIENCE, "keyterms": [str(keyterm)]},
        "webhook": {"url": address, "events": EVENTS, "secret": str(secret)},
    }
    async with tour.socket(server, tour.key) as call:
        first = await ready(call, **settings)
        use(keyterm, json.dumps(first["config"]))
        use(greeting, (await call.next("transcript.agent"))["text"])
        await call.next("reply.done")
        await call.say(VOICE)
        use(tour.spoken, (await call.next("transcript.user"))["text"])
        called = await call.next("tool.call")
        use(argument, json.dumps(called["arguments"]))
        await call.send("tool.result", call_id=called["call_id"], result=str(result))
        use(answer, (await call.next("transcript.agent"))["text"])
        await call.next("reply.done")
        await call.send("conversation.message", role="user", content=f"My name is {message}.")
        await call.send("reply.create", instructions=f"Mention {instructions}.")
        await call.next("reply.done")
        await call.drop()
    token = tour.canaries.add_secret("resume token", first["resume_token"])
    async with tour.socket(server, token) as call:
        await call.send("session.resume", session_id=first["session_id"])
        second = await call.next("session.ready")
        use(token, token.text)
        use(tour.canaries.add_secret("next resume token", second["resume_token"]), str(second))
    told = b"".join(asked.body for asked in tour.asked)
    for canary in (prompt, result, message, instructions):
        use(canary, told)
    use(tour.key, tour.key.text)
    use(tour.model_key, str(tour.asked[0].headers))
    for hook in await box.wait(lambda received: len(received) == len(EVENTS)):
        webhooks.verify(hook.body, hook.headers, secret.text)
        tour.hooks.append(hook)
    use(secret, secret.text)
    return str(first["session_id"])


async def run_agents(tour: Tour, server: Process, rest: httpx.AsyncClient) -> None:
    """An HTTP tool that works and one that fails; a model that fails and one that answers."""
    new, use = tour.canaries.add_secret, tour.canaries.use
    header, failing = new("header of a tool"), new("header of a tool that fails")
    early = new("header of a request before a call")
    refused, key = new("key of a model that refuses it"), new("key of an own model")
    result = tour.canaries.add_said("result of an HTTP tool")
    works, box = tour.peer.box(Response(body=f'{{"found":"{result}"}}'.encode()))
    breaks, broken = tour.peer.box(Response(500, f"wrong: {failing}".encode()))
    names = ("look_up", "look_down")
    script = tour.scripts.add(
        Script(lambda asked: Says("Done.") if asked.steps else Calls(tuple((n, {}) for n in names)))
    )
    agent = {
        "name": "an agent",
        "voice": {"voice_id": "alba"},
        "system_prompt": script.mark,
        "tools": [_tool(names[0], works, header), _tool(names[1], breaks, failing)],
        "llm": [tour.model_at(f"/{REFUSES}/v1", refused), tour.model_at("/v1", key)],
        "pre_connect_requests": [{"http": _request(works, early)}],
    }
    agent_id = (await tour.ask(rest, "POST", "/v1/agents", json=agent)).json()["id"]
    for model in (agent["llm"], [tour.model_at(f"/{REFUSES}/v1", refused)]):
        await tour.ask(rest, "PATCH", f"/v1/agents/{agent_id}", json={"llm": model})
        async with tour.socket(server, tour.key) as call:
            await ready(call, agent_id=agent_id)
            await call.send("conversation.message", role="user", content="Please.")
            await call.send("reply.create")
            await call.next("transcript.agent", "reply.error")
            await call.next("reply.done")
    for method, path in (("GET", f"/v1/agents/{agent_id}"), ("GET", "/v1/agents")):
        await tour.ask(rest, method, path)
    use(header, str(box.received[0].headers))
    use(failing, str(broken.received[0].headers))
    for canary in (refused, key):
        use(canary, str([asked.headers for asked in tour.asked]))
    use(result, b"".join(asked.body for asked in tour.asked))
    tour.sealed.append((agent_id, (header, failing, early, refused)))


async def use_keys(tour: Tour, server: Process, rest: httpx.AsyncClient, data: str) -> None:
    """A key that is created and revoked, and temporary tokens."""
    new, use = tour.canaries.add_secret, tour.canaries.use
    variables = environment(data, **tour.settings())

    async def keys(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [ANTIPHON, "keys", *arguments]
        return await asyncio.to_thread(
            subprocess.run, command, env=variables, capture_output=True, text=True, check=True
        )

    created = await keys("create", "--name", "one")
    key = new("created key", created.stdout.strip())
    assert key.text not in created.stderr
    tokens = [
        await tour.ask(rest, "GET", "/v1/token?expires_in_seconds=60"),
        await tour.ask(rest, "POST", "/v1/tokens", headers={"Authorization": key.text}),
    ]
    for number, answer in enumerate(tokens):
        token = new(f"temporary token {number}", answer.json()["token"])
        for in_query in (True, False):
            async with tour.socket(server, token, in_query=in_query) as call:
                use(token, f"{token} opened {(await ready(call))['session_id']}")
    for credential in (key, tour.other_key):
        async with tour.socket(server, credential, in_query=True) as call:
            use(credential, f"{credential} opened {(await ready(call))['session_id']}")
    listed = (await keys("list")).stdout
    revoked = (await keys("revoke", key.text)).stderr
    assert not key.is_in((listed + revoked).encode())


async def watch(tour: Tour, rest: httpx.AsyncClient, session_id: str) -> None:
    """Webhook subscriptions, also to a receiver that fails, and what REST tells of a session."""
    new = tour.canaries.add_secret
    first, second = new("secret of a subscription"), new("secret that replaces it")
    address, _ = tour.peer.box(Response(500, f"wrong: {second}".encode()))
    asked = {"url": address, "events": EVENTS, "secret": first.text}
    made = await tour.ask(rest, "POST", "/v1/webhook-subscriptions", json=asked)
    tour.canaries.use(first, f"{first} {made.raise_for_status().json()['id']}")
    path = f"/v1/webhook-subscriptions/{made.json()['id']}"
    changed = await tour.ask(rest, "PATCH", path, json={"secret": second.text})
    tour.canaries.use(second, f"{second} {changed.raise_for_status().json()['secret_version']}")
    for place in (path, "/v1/webhook-subscriptions", "/v1/sessions", "/v1/usage", "/v1/voices"):
        await tour.ask(rest, "GET", place)
    await tour.ask(rest, "GET", f"/v1/sessions/{session_id}/webhook-deliveries")
    detail = (await tour.ask(rest, "GET", f"/v1/sessions/{session_id}")).json()
    for artifact in detail["artifacts"]:
        await tour.ask(rest, "GET", artifact["url"])
    timeline = tour.answers[-2].body + tour.answers[-1].body + tour.answers[-3].body
    tour.canaries.use(tour.spoken, timeline)


async def go_wrong(tour: Tour, server: Process, rest: httpx.AsyncClient) -> None:
    """Wrong keys at every address, bodies with secrets where they cannot be, and bad frames."""
    wrong = tour.canaries.add_secret("wrong key")
    tour.canaries.used.add(wrong.name)
    paths = (await tour.ask(rest, "GET", "/v1/openapi.json")).json()["paths"]
    for path, operations in paths.items():
        for method in operations:
            for how in (
                {"headers": {"Authorization": f"Bearer {wrong}"}},
                {"headers": {"Authorization": ""}, "params": {"token": wrong.text}},
                {"content": f'{{"secret":"{wrong}'.encode()},
                {"json": {"unknown": {"api_key": wrong.text}}},
            ):
                answer = await tour.ask(rest, method.upper(), path, **how)
                assert answer.status_code < 500, (method, path)
    for body in _bad_agents(wrong):
        assert (await tour.ask(rest, "POST", "/v1/agents", json=body)).status_code == 422
    short = {"url": "https://h.example/", "events": EVENTS, "secret": wrong.text[:24]}
    for body in (short, {**short, "secret": [wrong.text]}, {**short, "secret": f"{wrong}\n"}):
        answer = await tour.ask(rest, "POST", "/v1/webhook-subscriptions", json=body)
        assert answer.status_code == 422
    for in_query in (True, False):
        async with tour.socket(server, wrong, in_query=in_query) as call:
            await call.error("unauthorized")
    for frame in _bad_frames(wrong):
        async with tour.socket(server, tour.key) as call:
            await call.socket.send(frame)
            # What is not known in a tool is passed over.
            await call.next("session.error", "session.ready")


def _tool(name: str, url: str, header: Canary) -> dict[str, Any]:
    return {"name": name, "description": "Looks.", "http": _request(url, header)}


def _request(url: str, header: Canary) -> dict[str, Any]:
    return {"url": url, "headers": [{"name": "X-Secret", "value": header.text}]}


def _bad_agents(wrong: Canary) -> list[dict[str, Any]]:
    """Agents that cannot be, each for its secret."""
    good: dict[str, Any] = {"name": "a", "voice": {"voice_id": "alba"}, "system_prompt": "p"}
    url, model = "https://h.example/", {"base_url": "https://h.example/v1", "model": "m"}
    tool = _tool("look_up", url, wrong)
    values = (f"{wrong}\n", f" {wrong}", [wrong.text], {"a": wrong.text}, wrong.text * 400)
    headers = [{**tool["http"], "headers": [{"name": "X", "value": value}]} for value in values]
    twice = [{"name": "X", "value": wrong.text}] * 2
    return [
        *({**good, "tools": [{**tool, "http": http}]} for http in headers),
        {**good, "tools": [{**tool, "http": {**tool["http"], "headers": twice}}]},
        {**good, "tools": [{**tool, "http": {**tool["http"], "url": "http://10.0.0.1/"}}]},
        *({**good, "llm": [{**model, "api_key": f"{wrong}{end}"}]} for end in (" ", "\n", "é")),
        {**good, "llm": [{**model, "api_key": [wrong.text]}]},
        {**good, "llm": [{**model, "api_key": wrong.text}] * 5},
        {**good, "voice": {"voice_id": "nobody"}, "llm": [{**model, "api_key": wrong.text}]},
        {**good, "providers": {"tts": [{"name": "nobody", "api_key": wrong.text}]}},
        {**good, "providers": {"tts": [{"name": "cartesia", "api_key": [wrong.text]}]}},
        {**good, "providers": {"tts": {"name": "cartesia", "api_key": wrong.text}}},
    ]


def _bad_frames(wrong: Canary) -> list[str | bytes]:
    """First messages that cannot be."""
    own = {"base_url": "https://h.example/v1", "model": "m", "api_key": wrong.text}
    hook = {"url": "https://h.example/", "events": EVENTS}
    sessions = (
        {"llm": [own]},
        {"webhook": {**hook, "secret": wrong.text[:24]}},
        {"webhook": {**hook, "secret": [wrong.text]}},
        {"webhook": {**hook, "url": "http://10.0.0.1/", "secret": wrong.text}},
        {"api_key": wrong.text},
        {"tools": [{"type": "function", "name": "f", "http": _request("https://h/", wrong)}]},
    )
    return [
        *(json.dumps({"type": "session.update", "session": session}) for session in sessions),
        json.dumps({"type": "session.resume", "session_id": wrong.text}),
        f'{{"type":"session.update","session":{{"system_prompt":"{wrong}',
        wrong.text.encode(),
    ]
