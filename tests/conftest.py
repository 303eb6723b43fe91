"""Fixtures that every test may ask for, and what tests in several processes need."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from conformance import summary
from databases import away, database, database_url, postgres, postgres_shelf, sqlite_template

__all__ = ["away", "database", "database_url", "postgres", "postgres_shelf", "sqlite_template"]

SUITE = "tests/conformance"
CONFORMANCE = Path(__file__).parent / "conformance"
BEHIND = 10
"""How much nicer a process is that plays nothing in real time."""
IS_BEHIND = pytest.StashKey[bool]()


class WholeSuites(LoadFileScheduling):  # type: ignore[misc]
    """Hands out whole files, for their tests share fixtures; and the conformance suite whole, for
    in the end it judges all sessions it had. (With pytest 9.2 the groups of xdist 3.8, which are
    meant for this, are not seen: it writes them to a name that pytest does not read any more.)
    """

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return SUITE if file.startswith(f"{SUITE}/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WholeSuites | None:
    """For ``--dist loadfile``."""
    return WholeSuites(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The conformance suite speaks and listens in real time: whoever runs beside it waits for the
    processor. One's own priority can only be lowered, so a process that is behind stays there.
    """
    config = item.config
    is_worker = hasattr(config, "workerinput")
    if is_worker and CONFORMANCE not in item.path.parents and IS_BEHIND not in config.stash:
        os.nice(BEHIND)
        config.stash[IS_BEHIND] = True


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it left out; what tests note goes with their reports anyway."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[summary.PROPERTY] = session.config.stash.get(summary.LEFT_OUT, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """All workers collect the same tests, so one speaks for all."""
    output = getattr(node, "workeroutput", {})
    node.config.stash[summary.LEFT_OUT] = output.get(summary.PROPERTY, {})


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Says per section of the protocol what holds. Here, for where workers run the tests nobody
    reads the suite's own conftest.py.
    """
    summary.write(terminalreporter, config.stash.get(summary.LEFT_OUT, {}))
