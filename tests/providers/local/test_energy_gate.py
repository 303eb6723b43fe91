"""The gate shuts on plain silence only."""

import numpy as np
from numpy.typing import NDArray

from antiphon_providers.local.energy_gate import HANGOVER, LOOK_EVERY, EnergyGate

WINDOW = 512


def noise(level: float, seed: int = 0) -> NDArray[np.float32]:
    """A window of white noise."""
    return (np.random.default_rng(seed).standard_normal(WINDOW) * level).astype(np.float32)


def settled(level: float) -> EnergyGate:
    """A gate that knows the floor and has heard silence long enough."""
    gate = EnergyGate()
    for seed in range(HANGOVER):
        assert not gate.shuts_out(noise(level, seed))
        gate.judged(noise(level, seed), 0.01)
    return gate


def test_stays_open_until_silence_was_judged_long_enough() -> None:
    """A new stream is judged, half a second at least, even in digital silence."""
    gate = EnergyGate()
    silence = np.zeros(WINDOW, np.float32)
    for _ in range(HANGOVER):
        assert not gate.shuts_out(silence)
        gate.judged(silence, 0.0)
    assert gate.shuts_out(silence)


def test_shuts_on_noise_that_does_not_change_whatever_its_level() -> None:
    """The floor is the stream's own."""
    for level in (0.0005, 0.01, 0.1):
        assert settled(level).shuts_out(noise(level, 99))


def test_opens_for_sound_three_decibels_above_the_floor() -> None:
    """Speech as loud as the noise doubles its energy, and is judged."""
    assert not settled(0.01).shuts_out(noise(0.01 * 2**0.5, 99))


def test_opens_for_consonants_in_hum() -> None:
    """A hiss too soft to raise the level of a loud hum still opens the gate."""
    hum = (0.1 * np.sin(2 * np.pi * 62.5 * np.arange(WINDOW) / 16_000)).astype(np.float32)
    gate = EnergyGate()
    for seed in range(HANGOVER):
        gate.judged(hum + noise(0.0005, seed), 0.01)
    assert gate.shuts_out(hum + noise(0.0005, 98))
    assert not gate.shuts_out(hum + noise(0.004, 99))


def test_stays_open_in_and_just_after_speech() -> None:
    """One window of speech, however soft, keeps it open for half a second."""
    gate = settled(0.01)
    gate.judged(noise(0.01, 1), 0.6)
    for seed in range(HANGOVER):
        assert not gate.shuts_out(noise(0.01, seed))
        gate.judged(noise(0.01, seed), 0.01)
    assert gate.shuts_out(noise(0.01, 99))


def test_never_takes_speech_for_the_floor() -> None:
    """Loud windows that were found to be speech do not move it."""
    gate = settled(0.001)
    for seed in range(100):
        gate.judged(noise(0.1, seed), 0.99)
    for seed in range(HANGOVER):
        gate.judged(noise(0.001, seed), 0.01)
    assert not gate.shuts_out(noise(0.1, 99))


def test_looks_now_and_then_even_in_silence() -> None:
    """A floor that is wrong is found out within two seconds."""
    gate = settled(0.01)
    shut = [gate.shuts_out(noise(0.01, 0)) for _ in range(2 * LOOK_EVERY)]
    assert shut.count(False) == 2
