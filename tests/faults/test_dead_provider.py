"""A provider that is dead is left alone, however many calls there are."""

from __future__ import annotations

from itertools import pairwise

import pytest

from faults.dead_provider import CALLERS, REQUESTS, besiege
from faults.vendors import STAGES, Stage
from faults.weather import Fault

COOLDOWN_S = 5.0
NOTICED_S = 4.0
"""By when the breaker is open: after three failures, and those that had begun before it."""


@pytest.mark.parametrize("fault", ["refused", "connect hang", "401", "503", "empty 200"])
@pytest.mark.parametrize("stage", STAGES)
def test_who_is_dead_is_probed_once_in_five_seconds_at_most(stage: Stage, fault: Fault) -> None:
    """Twenty callers ask all the time, for minutes; attempts of both are at most 1.2 times the
    requests, and each request is served.
    """
    attempts, served = besiege(stage, fault)
    requests = CALLERS * REQUESTS
    assert served == requests
    probes = [at for at in attempts if at > NOTICED_S]
    assert len(probes) > 1, attempts
    assert min(later - earlier for earlier, later in pairwise(probes)) >= COOLDOWN_S
    assert len(attempts) + served <= 1.2 * requests
