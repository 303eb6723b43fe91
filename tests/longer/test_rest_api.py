"""The REST API, explored for some minutes: twenty thousand requests on each database."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from antiphon_server.store.database import Database
from hostile.rest_api import explored, whole_api

EXAMPLES = 900
LEAST_CASES = 20_000


@pytest.mark.timeout(3_600)
def test_twenty_thousand_requests_get_answers_that_the_document_allows(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As tests/hostile/test_rest_api.py has it, with another seed."""
    with whole_api(database, tmp_path) as app:
        found = explored(app, EXAMPLES, seed=2)
    with capsys.disabled():
        sys.stdout.write(f"\n{database.engine.dialect.name}: {dict(found.cases)}\n")
    assert not found.failures, "\n\n".join(found.failures)
    assert found.cases.total() >= LEAST_CASES
