"""The REST API keeps what its document promises, whatever it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon_server.store.database import Database
from hostile.rest_api import explored, whole_api

EXAMPLES = 3
LEAST_CASES = 1_500
SAME_AS_PUT = "PATCH /v1/agents/{agent_id}"
"""Has a thousand cases of its own; they are left to tests/longer, as is PostgreSQL."""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.timeout(300)
def test_no_request_gets_an_answer_that_the_document_does_not_allow(
    database: Database, tmp_path: Path
) -> None:
    """No 5xx, no status, header or body beside the document; what it forbids is refused; without
    a key nothing is told; and what was created can be got until it is deleted.
    """
    with whole_api(database, tmp_path) as app:
        found = explored(app, EXAMPLES, seed=1, leave_out=SAME_AS_PUT)
    assert not found.failures, "\n\n".join(found.failures)
    assert found.cases.total() >= LEAST_CASES
