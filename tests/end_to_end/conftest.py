"""One server for all tests of this folder that change nothing about it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from end_to_end.product import Talked, antiphon, is_quiet, running
from hostile.serving import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``antiphon serve`` with its embedded models; it ends well after all those calls."""
    log = tmp_path_factory.mktemp("server") / "log"
    with running(log) as process:
        yield process
        status = process.stop()
        assert (status, is_quiet(process.log)) == (0, True), process.log


@pytest.fixture(scope="session")
def talked(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Talked:
    """``antiphon talk`` with the sentence that comes along, once."""
    recording = tmp_path_factory.mktemp("talk") / "reply.wav"
    return Talked(antiphon("talk", "--url", server.ws, "--out", str(recording)), recording)
