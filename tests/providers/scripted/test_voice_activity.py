"""Voice activity by loudness: one probability for each window, inside ``feed``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers import registry
from antiphon_providers.errors import Malformed, Refused, Unavailable
from antiphon_providers.interfaces import VoiceActivity
from antiphon_providers.scripted import Fault, ScriptedVoiceActivity
from antiphon_providers.scripted.tones import sine

WINDOW = 32 * 16 * 2
LOUD = sine(300, 32, 16000)
QUIET = bytes(WINDOW)


def test_it_has_the_shape_the_server_asks_for() -> None:
    """Checked by the type checker; the window is Silero's."""
    provider: VoiceActivity = ScriptedVoiceActivity()
    assert provider.window_ms * 32 == WINDOW


def test_what_is_loud_is_voice() -> None:
    """And what is not is silence, window by window."""
    heard: list[float] = []
    stream = ScriptedVoiceActivity().open(heard.append)
    for window in (LOUD, QUIET, LOUD, LOUD):
        stream.feed(window)
    assert heard == [0.99, 0.0, 0.99, 0.99]


@given(st.lists(st.integers(0, 3000), max_size=20))
def test_each_full_window_is_reported_however_audio_is_cut(sizes: list[int]) -> None:
    """As many as fit into all bytes fed, before ``feed`` returns."""
    heard: list[float] = []
    stream = ScriptedVoiceActivity().open(heard.append)
    for size in sizes:
        stream.feed(bytes(size))
    assert len(heard) == sum(sizes) // WINDOW


def test_a_closed_stream_is_silent() -> None:
    """Its sink is not called again, not even for the rest of what was being fed."""
    heard: list[float] = []

    def hear(probability: float) -> None:
        heard.append(probability)
        stream.close()

    provider = ScriptedVoiceActivity()
    stream = provider.open(hear)
    stream.feed(LOUD * 3)
    stream.feed(LOUD)
    stream.close()
    assert heard == [0.99]
    assert (provider.desk.opened, provider.desk.active) == (1, 0)


def test_streams_do_not_share_audio() -> None:
    """Half a window of one and half of another are no window."""
    heard: list[float] = []
    provider = ScriptedVoiceActivity()
    first, second = provider.open(heard.append), provider.open(heard.append)
    first.feed(LOUD[:512])
    second.feed(LOUD[:512])
    assert heard == []
    assert provider.desk.active == 2


def test_it_fails_as_told() -> None:
    """At open, after some windows, by silence, and by hearing nothing."""
    provider = ScriptedVoiceActivity()
    heard: list[float] = []
    provider.desk.fault = Fault.parse("unavailable at open")
    with pytest.raises(Unavailable):
        provider.open(heard.append)
    provider.desk.fault = Fault.parse("malformed after 2")
    stream = provider.open(heard.append)
    with pytest.raises(Malformed):
        stream.feed(LOUD * 3)
    for fault, expected in (("stall after 1", [0.99]), ("stall at open", []), ("empty", [0.0] * 2)):
        provider.desk.fault = Fault.parse(fault)
        heard.clear()
        provider.open(heard.append).feed(LOUD * 2)
        assert heard == expected


def test_options_come_from_text() -> None:
    """And those that cannot be are refused."""
    provider = registry.create("voice_activity", "scripted", {"voice": "0.7", "threshold": "0"})
    heard: list[float] = []
    provider.open(heard.append).feed(b"\x01\x00" * 512)
    assert heard == [0.7]
    for wrong in ({"voice": "2"}, {"fault": "sometimes"}, {"tempo": "1"}):
        with pytest.raises(Refused):
            registry.create("voice_activity", "scripted", wrong)
