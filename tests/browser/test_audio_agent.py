"""The SDK's voice agent in a real browser: session, microphone and loudspeaker in one."""

from __future__ import annotations

from pathlib import Path

from browser.sound_page import BUSY, LATENCY_MS, SILENT_MS, page_at, run
from browser.window import Speaking, microphone_wav
from hostile.serving import Server


async def test_a_frame_is_soon_at_the_socket(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """From the capture of its first sample to the call of ``send``."""
    page = await page_at(await speaking(microphone_wav(tmp_path / "heard.wav", 1.0)), page_server)
    latencies = await run(
        page,
        """
        let captured = null;
        const latencies = [];
        class Timed extends WebSocket {
            send(text) {
                if (captured !== null && text.startsWith('{"type":"input.audio"')) {
                    const late = agent.microphone.context.currentTime - captured;
                    latencies.push(late * 1000 + 20);
                }
                super.send(text);
            }
        }
        const agent = new antiphon.VoiceAgent({ WebSocket: Timed });
        await agent.start();
        const inner = agent.microphone.onframe;
        agent.microphone.onframe = (pcm, at) => {
            captured = at;
            inner(pcm, at);
            captured = null;
        };
        await until(() => latencies.length > 150);
        await agent.stop();
        return [0.5, 0.95].map((part) => percentile(latencies, part));
        """,
    )
    assert latencies[1] <= LATENCY_MS * BUSY, latencies


async def test_an_agent_is_heard_interrupted_and_leaves_nothing(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """Its greeting is played, a reply that is cancelled falls silent, its turns are kept."""
    page = await page_at(await speaking(microphone_wav(tmp_path / "heard.wav", 1.0)), page_server)
    told = await run(
        page,
        """
        const greeting = "Good evening.";
        const agent = new antiphon.VoiceAgent({ session: { greeting } });
        const started = once(agent, "started");
        const opening = agent.start();
        await opening;
        const { player, microphone } = agent;
        const reply = await started;
        await once(agent, "drained");
        const heard = player.playedMs(reply);
        agent.send("Tell me one two three four five six seven eight nine ten eleven twelve.");
        const second = await once(agent, "started");
        const done = once(agent, "reply.done");
        agent.session.cancelReply();
        const { status } = await done;
        const before = performance.now();
        await until(() => player.isDrained);
        const silentMs = performance.now() - before;
        const turns = agent.turns.map((turn) => [turn.role, turn.text, turn.isInterrupted]);
        await agent.stop();
        const left = [player.context.state, microphone.context.state, agent.state];
        return { heard, status, silentMs, turns, left, underruns: player.underruns };
        """,
    )
    assert told["heard"] > 100
    assert told["status"] == "interrupted"
    assert told["silentMs"] < SILENT_MS * BUSY
    assert told["turns"][0] == ["agent", "Good evening.", False]
    assert told["turns"][1][0] == "user"
    assert told["left"] == ["closed", "closed", "ended"]


async def test_who_stops_while_it_starts_leaves_nothing(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """Wherever it was; and an agent without a microphone asks for none."""
    page = await page_at(await speaking(microphone_wav(tmp_path / "heard.wav", 1.0)), page_server)
    left = await run(
        page,
        """
        const contexts = [];
        const Real = AudioContext;
        globalThis.AudioContext = class extends Real {
            constructor(options) { super(options); contexts.push(this); }
        };
        const outcomes = [];
        for (const ms of [0, 5, 20, 60, 150]) {
            const agent = new antiphon.VoiceAgent();
            const starting = agent.start().then(() => "started", ({ code }) => code);
            await wait(ms);
            await agent.stop();
            outcomes.push(await starting, agent.state);
        }
        const asked = navigator.mediaDevices.getUserMedia;
        let count = 0;
        navigator.mediaDevices.getUserMedia = () => { count += 1; return asked(); };
        const silent = await new antiphon.VoiceAgent({ microphone: false }).start();
        const { microphone } = silent;
        await silent.stop();
        const states = contexts.map(({ state }) => state);
        return { outcomes, states, count, microphone };
        """,
    )
    assert set(left["outcomes"]) <= {"started", "session_over", "no_microphone", "ended"}
    assert set(left["states"]) == {"closed"}
    assert left["count"] == 0
    assert left["microphone"] is None
