"""Microphone and loudspeaker of the SDK in a real browser."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np

from antiphon.wav import resample
from antiphon_providers.contract.human_speech import RATE as VOICE_RATE
from antiphon_providers.contract.human_speech import clip
from browser.sound_page import SILENT_MS, likeness, page_at, run, samples
from browser.window import Speaking, Windows, microphone_wav
from hostile.serving import Server

RATE = 24_000


async def test_what_is_captured_is_what_was_said(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """Frame by frame at 24 kHz, and muted it is silence."""
    speech = clip("wisdom")
    page = await page_at(
        await speaking(microphone_wav(tmp_path / "heard.wav", 1.0, speech.pcm)), page_server
    )
    heard = await run(
        page,
        """
        const off = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
        const microphone = await antiphon.Microphone.open(off);
        const frames = [];
        let loudest = 0;
        microphone.onframe = (pcm) => {
            frames.push(pcm);
            loudest = Math.max(loudest, microphone.level);
        };
        await wait(given);
        const all = new Uint8Array(frames.length * 960);
        frames.forEach((pcm, index) => all.set(pcm, index * 960));
        const sizes = new Set(frames.map(({ length }) => length));
        frames.length = 0;
        microphone.muted = true;
        await wait(200);
        const muted = frames.every((pcm) => pcm.every((byte) => byte === 0)) && frames.length > 0;
        await microphone.close();
        const closed = microphone.context.state;
        return { pcm: antiphon.toBase64(all), sizes: [...sizes], muted, loudest, closed };
        """,
        1500 + round(len(speech.pcm) / 2 / VOICE_RATE * 1000),
    )
    said = samples(resample(speech.pcm, VOICE_RATE, RATE, "what was said"))
    assert likeness(samples(heard["pcm"]), said) > 0.95
    assert heard["sizes"] == [960]
    assert heard["muted"]
    windows = said[: len(said) // 240 * 240].reshape(-1, 240)
    loudest = np.sqrt((windows**2).mean(axis=1)).max() / 32768
    assert 0.8 < heard["loudest"] / loudest < 1.25
    assert heard["closed"] == "closed"


async def test_closing_frees_the_microphone(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """Its tracks are stopped, no frame follows, and closing twice is harmless."""
    page = await page_at(await speaking(microphone_wav(tmp_path / "heard.wav", 1.0)), page_server)
    left = await run(
        page,
        """
        const tracks = [];
        const { mediaDevices } = navigator;
        const ask = mediaDevices.getUserMedia.bind(mediaDevices);
        mediaDevices.getUserMedia = async (wanted) => {
            const stream = await ask(wanted);
            tracks.push(...stream.getTracks());
            return stream;
        };
        const microphone = await antiphon.Microphone.open();
        const named = (await antiphon.Microphone.devices()).map(({ deviceId }) => deviceId);
        await microphone.use(named.at(-1));
        const used = microphone.deviceId;
        const settings = tracks.at(-1).getSettings();
        let late = 0;
        await microphone.close();
        microphone.onframe = () => { late += 1; };
        await microphone.close();
        await wait(200);
        const states = tracks.map(({ readyState }) => readyState);
        return { states, late, used, last: named.at(-1), echo: settings.echoCancellation };
        """,
    )
    assert left["states"] == ["ended", "ended"]
    assert left["late"] == 0
    assert left["used"] == left["last"]
    assert left["echo"] is not False


async def test_a_device_that_goes_away_is_replaced(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """The default one takes its place; where none is left it says so."""
    page = await page_at(await speaking(microphone_wav(tmp_path / "heard.wav", 1.0)), page_server)
    told = await run(
        page,
        """
        const { mediaDevices } = navigator;
        const ask = mediaDevices.getUserMedia.bind(mediaDevices);
        let stream;
        mediaDevices.getUserMedia = async (wanted) => (stream = await ask(wanted));
        const microphone = await antiphon.Microphone.open();
        let frames = 0;
        microphone.onframe = () => { frames += 1; };
        const unplug = () => stream.getTracks()[0].dispatchEvent(new Event("ended"));
        let changed = once(microphone, "device");
        unplug();
        await changed;
        const before = frames;
        await until(() => frames > before + 5);
        mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotFoundError"); };
        const failed = once(microphone, "failed");
        unplug();
        const { code, message } = await failed;
        // The clock goes on.
        const silent = frames;
        await until(() => frames > silent + 5);
        await microphone.close();
        return { code, message };
        """,
    )
    assert told == {"code": "no_microphone", "message": "there is no microphone: connect one"}


async def test_who_allows_no_microphone_is_told_in_plain_words(
    page_server: Server, chromium: Windows
) -> None:
    """The words say what to do, and nothing is left open."""
    page = await page_at(chromium, page_server)
    told = await run(
        page,
        """
        const told = [];
        const note = ({ code, message }) => told.push([code, message]);
        const { mediaDevices } = navigator;
        for (const name of ["NotAllowedError", "NotReadableError", "OverconstrainedError", "Odd"]) {
            mediaDevices.getUserMedia = async () => { throw new DOMException("x", name); };
            await antiphon.Microphone.open().catch(note);
        }
        await antiphon.Microphone.open({ frameMs: 5 }).catch(note);
        const workletUrl = "/assets/nothing.js";
        await antiphon.Player.open({ workletUrl }).catch(note);
        return told;
        """,
    )
    chromium.expect("404")
    assert [one[0] for one in told] == ["no_microphone"] * 4 + ["invalid_options", "no_sound"]
    words = " ".join(one[1] for one in told[:4])
    for part in ("beside the address", "another program", "choose another", "cannot be used"):
        assert part in words


async def test_what_is_played_is_what_was_given(page_server: Server, chromium: Windows) -> None:
    """Sample by sample, though it comes in uneven pieces; the position is told, and the end."""
    speech = resample(clip("wisdom").pcm, VOICE_RATE, RATE, "what is said")
    page = await page_at(chromium, page_server)
    played = await run(
        page,
        """
        const pcm = antiphon.fromBase64(given);
        const context = new AudioContext({ sampleRate: 24000 });
        const player = await antiphon.Player.open({ context });
        const blocks = await recorder(player.node);
        const started = once(player, "started");
        const drained = once(player, "drained");
        let at = 0;
        for (let times = 1; at < pcm.length; times += 1) {
            const size = 2 * (480 + (times * 311) % 1440);
            player.play(pcm.subarray(at, at + size), "r1");
            at += size;
            if (times % 4 === 0) await wait(20);
        }
        player.end("r1");
        const reply = await started;
        await until(() => player.level > 0);
        await drained;
        await wait(300);
        const { underruns, level, isDrained } = player;
        const playedMs = player.playedMs("r1");
        await player.close();
        const left = context.state;
        await context.close();
        const pcm_ = packed(antiphon, blocks);
        return { pcm: pcm_, underruns, reply, level, isDrained, playedMs, left };
        """,
        base64.b64encode(speech).decode(),
    )
    given, heard = samples(speech), samples(played.pop("pcm"))
    first = int(np.flatnonzero(given)[0])
    begins = int(np.flatnonzero(heard)[0]) - first
    assert np.array_equal(heard[begins : begins + len(given)], given)
    assert abs(played.pop("playedMs") - len(given) / RATE * 1000) < 1
    assert played.pop("level") < 0.01
    assert played == {"underruns": 0, "reply": "r1", "isDrained": True, "left": "running"}


async def test_after_a_flush_there_is_silence_at_once(
    page_server: Server, chromium: Windows
) -> None:
    """Without a click, and what comes next is played."""
    page = await page_at(chromium, page_server)
    flushed = await run(
        page,
        """
        const tone = Int16Array.from({ length: 24000 * 4 }, (_, n) => 9000 * Math.sin(n / 9));
        const player = await antiphon.Player.open();
        const blocks = await recorder(player.node);
        const took = [];
        const steps = [];
        for (let times = 0; times < 5; times += 1) {
            const started = once(player, "started");
            player.play(new Uint8Array(tone.buffer), `r${times}`);
            await started;
            await wait(150);
            const asked = player.context.currentTime;
            const drained = once(player, "drained");
            player.flush();
            await drained;
            await wait(50);
            const sounding = blocks.filter(({ block }) => block.some((sample) => sample !== 0));
            took.push((sounding.at(-1).at - asked) * 1000 + 128 / 48);
            const last = sounding.at(-1).block;
            const rises = last.map((sample, n) => Math.abs(sample - (last[n - 1] ?? sample)));
            steps.push(Math.max(...rises));
        }
        const position = player.playedMs("r4");
        await player.close();
        return { took, steps, position, state: player.context.state };
        """,
    )
    assert max(flushed["took"]) < SILENT_MS, flushed
    assert max(flushed["steps"]) < 0.1
    assert 50 < flushed["position"] < 1000
    assert flushed["state"] == "closed"
