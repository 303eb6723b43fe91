"""Somebody opens the page, presses the button, and talks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from antiphon_loadtest.words import error_rate
from antiphon_providers.contract.human_speech import clip
from antiphon_providers.local.moonshine_library import Recogniser
from browser.playground_page import SOUND_MS, Line, Playground, loudness
from browser.window import Speaking, Windows, microphone_wav
from hostile.serving import Server

GIST = 0.5
"""Word error rate of a small recogniser with a synthetic voice; noise gives 1."""

WISDOM = re.compile("wisdom", re.IGNORECASE)
GREETING = "The order desk is open. How can I help you today?"


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    """A second pair of ears, in this process, for what the agent says."""
    return Recogniser("test")


async def called(windows: Windows, server: Server, greeting: str = "") -> Playground:
    """The page in a call that the microphone hears as it is, without echo cancellation."""
    shown = await Playground.opened(windows, server.http)
    await shown.set("greeting", greeting)
    await shown.untick("echoCancellation")
    await shown.talk.click()
    return shown


async def test_one_click_and_the_agent_hears_answers_and_is_heard(
    speech_server: Server, speaking: Speaking, tmp_path: Path, recogniser: Recogniser
) -> None:
    """The words appear, the answer's words too; what reached the loudspeaker is the greeting and
    the answer, and the stages of the turn add up to its response.
    """
    speech = clip("wisdom")
    windows = await speaking(microphone_wav(tmp_path / "microphone.wav", 7.0, speech.pcm))
    shown = await called(windows, speech_server, GREETING)
    await expect(shown.agents.first).to_have_text(GREETING, timeout=SOUND_MS)
    await expect(shown.page.locator(".line.user:not(.partial)")).to_have_count(1, timeout=SOUND_MS)
    said = await shown.users.first.inner_text()
    assert error_rate(speech.text, said) <= GIST, said
    await expect(shown.state).to_have_text("Speaking", timeout=SOUND_MS)
    await expect(shown.state).to_have_text("Listening", timeout=SOUND_MS)

    answer = await shown.agents.last.inner_text()
    understood = recogniser.words(await shown.heard())
    assert error_rate(f"{GREETING} {answer}", understood) <= GIST, understood

    turn = shown.turns.first
    assert await turn.get_attribute("data-trigger") == "user_speech"
    stages = await shown.stages(turn)
    beside = {"Voice activity", "Recognition", "Turn model"}
    assert beside <= set(stages)
    path = sum(ms for name, ms in stages.items() if name not in {*beside, "Response"})
    # Each number is rounded to a millisecond for the eye.
    assert abs(path - stages["Response"]) <= len(stages), stages
    assert stages["Speech: first audio"] > 0


async def test_a_second_utterance_interrupts_the_answer(
    speech_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """The answer is marked as interrupted, what was not heard of it is no longer said, and the
    second utterance is answered.
    """
    first, second = clip("wisdom"), clip("everything")
    wav = microphone_wav(tmp_path / "microphone.wav", 1.5, first.pcm, 2.4, second.pcm)
    shown = await called(await speaking(wav), speech_server)
    await expect(shown.page.get_by_text("Interrupted", exact=True)).to_be_visible(timeout=SOUND_MS)
    heard = await shown.agents.first.evaluate("(one) => one.firstChild?.textContent ?? ''")
    assert heard.startswith("You said")
    assert "Ask me what I can do" not in heard
    await expect(shown.users).to_have_count(2, timeout=SOUND_MS)
    await expect(shown.agents).to_have_count(2, timeout=SOUND_MS)
    await expect(shown.page.locator(".line.user:not(.partial)")).to_have_count(2, timeout=SOUND_MS)
    said = await shown.users.last.inner_text()
    assert error_rate(second.text, said) <= GIST, said


async def test_partial_words_are_grey_until_they_are_final(
    speech_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """While somebody speaks their words stand there as partial ones; then they are solid."""
    speech = clip("superlative")
    windows = await speaking(microphone_wav(tmp_path / "microphone.wav", 1.5, speech.pcm))
    shown = await called(windows, speech_server)
    await expect(shown.page.locator(".line.user.partial")).to_have_count(1, timeout=SOUND_MS)
    await expect(shown.state).to_have_text("Hearing you")
    await expect(shown.page.locator(".line.user:not(.partial)")).to_have_count(1, timeout=SOUND_MS)
    await expect(shown.page.locator(".line.user.partial")).to_have_count(0)


async def test_a_line_that_is_lost_in_the_middle_is_taken_up_again(
    speech_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """The socket is cut while somebody is silent; what they say afterwards is heard."""
    speech = clip("wisdom")
    windows = await speaking(microphone_wav(tmp_path / "microphone.wav", 9.0, speech.pcm))
    shown = await Playground.opened(windows, speech_server.http)
    line = Line()
    await line.watch(shown.page)
    await shown.page.reload()
    await shown.set("greeting", "")
    await shown.untick("echoCancellation")
    await shown.talk.click()
    await expect(shown.state).to_have_text("Listening", timeout=SOUND_MS)
    await line.cut()
    await expect(shown.page.get_by_text("the call came back")).to_be_visible(timeout=SOUND_MS)
    await expect(shown.users.first).to_contain_text(WISDOM, timeout=SOUND_MS)
    assert line.sockets == 2


async def test_who_is_muted_is_not_heard_and_the_state_says_so(
    speech_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """Muted before the words come, nothing is recognised; the button says how it stands."""
    speech = clip("wisdom")
    windows = await speaking(microphone_wav(tmp_path / "microphone.wav", 3.0, speech.pcm))
    shown = await called(windows, speech_server)
    await shown.page.get_by_role("button", name="Mute").click()
    await expect(shown.state).to_have_text("Muted: the agent cannot hear you")
    await expect(shown.page.get_by_role("button", name="Unmute")).to_be_visible()
    await shown.type("Hello")
    # Its answer is over after the words would have been heard.
    await expect(shown.agents).to_have_count(1, timeout=SOUND_MS)
    await expect(shown.page.locator("#state-more")).to_have_text("0:08", timeout=SOUND_MS)
    await expect(shown.users).to_have_text(["Hello"])


async def test_hanging_up_silences_the_loudspeaker_and_frees_the_microphone(
    speech_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """In the middle of a greeting: the call is over, and a new one can begin."""
    windows = await speaking(microphone_wav(tmp_path / "microphone.wav", 1.0))
    shown = await called(windows, speech_server, GREETING)
    await expect(shown.state).to_have_text("Speaking", timeout=SOUND_MS)
    await shown.page.keyboard.press("Escape")
    await expect(shown.state).to_have_text("Call ended")
    await expect(shown.talk).to_have_accessible_name("Talk again")
    await shown.talk.click()
    await expect(shown.state).to_have_text("Speaking", timeout=SOUND_MS)
    assert loudness(await shown.heard()) > 0
