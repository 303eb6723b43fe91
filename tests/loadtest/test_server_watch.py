"""What the server spends."""

from __future__ import annotations

import os

import pytest

from antiphon_loadtest.server_watch import Unwatchable, metrics, process, spent_of


def test_a_process_of_this_machine_is_read() -> None:
    """This one has used some CPU and holds some memory; there is no other of the number 0."""
    read = process(os.getpid())
    first, second = read(), read()
    assert 0 < first.cpu_s <= second.cpu_s
    assert first.memory > 1e6
    with pytest.raises(Unwatchable, match="no process"):
        process(2**22 + 1)


def test_metrics_of_several_workers_are_added_up() -> None:
    """And a page that lacks one of the two is told by name."""
    page = (
        '# HELP x\nprocess_cpu_seconds_total 2.5\nprocess_resident_memory_bytes{worker="1"} 1e6\n'
        'process_resident_memory_bytes{worker="2"} 2e6\nprocess_cpu_seconds_total soon\n'
    )
    spent = spent_of(page, "there")
    assert (spent.cpu_s, spent.memory) == (2.5, 3e6)
    with pytest.raises(Unwatchable, match="--server-pid"):
        spent_of("process_cpu_seconds_total 1\n", "there")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "nonsense", "http://127.0.0.1:1/metrics"])
def test_an_address_without_metrics_is_refused(url: str) -> None:
    """Before the run."""
    with pytest.raises(Unwatchable):
        metrics(url)
