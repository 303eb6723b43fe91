"""The browser itself: its microphone hears what a test says, its windows note what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon_providers.contract.human_speech import clip
from browser.window import ChromiumMissing, Speaking, Windows, microphone_wav, program
from hostile.serving import Server

# Listens until it was loud, and then until it is quiet; gives the loudest sample.
_LISTEN = """async () => {
  const sound = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: sound });
  const context = new AudioContext();
  const meter = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(meter);
  const samples = new Float32Array(meter.fftSize);
  let loudest = 0;
  let quiet = 0;
  while (loudest < 0.05 || quiet < 20) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    meter.getFloatTimeDomainData(samples);
    const level = Math.max(...samples.map(Math.abs));
    loudest = Math.max(loudest, level);
    quiet = level === 0 ? quiet + 1 : 0;
  }
  return loudest;
}"""


async def test_the_microphone_hears_a_human_voice_and_then_silence(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """Once, and digital silence after it; a page of ours may listen without being asked."""
    windows = await speaking(microphone_wav(tmp_path / "voice.wav", 0.5, clip("best").pcm))
    page = await windows.open(page_server.http)
    assert 0.05 < await page.evaluate(_LISTEN) <= 1.0


async def test_whatever_goes_wrong_in_a_window_is_noted(
    page_server: Server, chromium: Windows
) -> None:
    """An error on the console, an exception, a violation of the policy; warnings are none."""
    page = await chromium.open(page_server.http)
    await page.evaluate("() => { document.body.setAttribute('style', 'color: red'); }")
    await page.evaluate("() => { console.warn('careful'); console.error('broken'); }")
    async with page.context.expect_event("weberror"):
        await page.evaluate("() => { setTimeout(() => { throw new Error('nobody caught'); }); }")
    assert [text for text in chromium.complaints if "careful" in text] == []
    for words in ("broken", "nobody caught", "CSP: style-src-attr forbids inline"):
        assert any(words in text for text in chromium.complaints), words
        chromium.expect(words)
    chromium.expect("style-src")


async def test_windows_share_nothing(page_server: Server, chromium: Windows) -> None:
    """What one stores another does not find."""
    first = await chromium.open(page_server.http)
    await first.evaluate("() => localStorage.setItem('left', 'behind')")
    second = await chromium.open(page_server.http)
    assert await second.evaluate("() => localStorage.getItem('left')") is None


def test_a_machine_without_chromium_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other browser is taken for it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ChromiumMissing, match="scripts/test installs Debian's"):
        program()
