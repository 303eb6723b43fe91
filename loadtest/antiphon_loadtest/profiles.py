"""When callers begin: how a run's load comes about."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, structs

from antiphon_loadtest.behaviour import Behaviour


class Profile(Struct, frozen=True):
    """``starts`` are the seconds at which each of ``n`` callers begins, of ``duration_s``;
    ``behaves`` is how they differ from what was asked for.
    """

    help: str
    starts: Callable[[int, float], list[float]]
    behaves: Callable[[Behaviour], Behaviour] = lambda behaviour: behaviour


SPREAD_S = 10.0
"""Within which the callers of a steady load begin, at most a fifth of the run."""

STORM_S = 1.0


def _evenly(count: int, seconds: float) -> list[float]:
    return [seconds * number / count for number in range(count)]


def _steady(count: int, duration_s: float) -> list[float]:
    return _evenly(count, min(SPREAD_S, duration_s / 5))


def _ramp(count: int, duration_s: float) -> list[float]:
    # The last tenth of the time belongs to the full load.
    return _evenly(count, duration_s * 0.9)


def _storm(count: int, duration_s: float) -> list[float]:
    return _evenly(count, min(STORM_S, duration_s / 5))


def _mixed(asked: Behaviour) -> Behaviour:
    return structs.replace(
        asked,
        barge_in=max(asked.barge_in, 0.25),
        drop=max(asked.drop, 0.08),
        tool=max(asked.tool, 0.3),
        idle=max(asked.idle, 0.2),
        turns=(1, max(8, asked.turns[1])),
    )


def _soak(asked: Behaviour) -> Behaviour:
    # Short calls: what leaks, leaks with each of them.
    return structs.replace(asked, turns=(1, min(3, max(1, asked.turns[1]))))


PROFILES: dict[str, Profile] = {
    "steady": Profile("all callers, begun one after the other, for the whole time", _steady),
    "ramp": Profile("from none to all callers in a straight line", _ramp),
    "storm": Profile("all callers at once, within a second", _storm),
    "soak": Profile("short calls one after the other, for long", _steady, _soak),
    "mixed": Profile("some silent, some interrupting, some dropped, some short", _steady, _mixed),
}


def share(starts: list[float], worker: int, workers: int) -> list[tuple[int, float]]:
    """The callers of one worker, as number and start: every so-manieth, so that all share each
    part of the load.
    """
    return list(enumerate(starts))[worker::workers]
