"""Arbitrary things happen to a call, in any order, and after each of them the rules hold."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from structlog.testing import capture_logs

from simulation import plan as p
from simulation.call import wall_clock
from simulation.performance import Performance
from simulation.plans import REPLY_FAULTS
from simulation.world import World
from virtual_time import VirtualTimeLoop

LIMIT_S = 20_000.0
EXAMPLES = 100
STEPS = 30

TOOLS = (
    (),
    (p.ToolPlan("look_up", "interactive", 5.0),),
    (p.ToolPlan("look_up", "interactive", 2.0), p.ToolPlan("wait_for", "hold", 5.0)),
    (p.ToolPlan("fetch", "http", 5.0, noted=True),),
)
SETTINGS = st.builds(
    p.Setting,
    greeting=st.booleans(),
    output_text=st.booleans(),
    mode=st.sampled_from(("balanced", "min_latency")),
    tools=st.sampled_from(TOOLS),
    latency_s=st.sampled_from((0.0, 0.1)),
    bound=st.just(True),
)
PROVIDERS = st.builds(
    p.Providers, calls_tools=st.sampled_from((0.2, 0.7)), talks_nonsense=st.sampled_from((0.0, 0.2))
)
ATTEMPTS = st.builds(
    p.Attempt,
    after_s=st.sampled_from((0.0, 0.01)),
    credential=st.sampled_from(("key", "token", "resume_token", "other_key", "nonsense")),
    says_last_seq=st.booleans(),
    cut_after_s=st.sampled_from((None, None, 0.0, 0.2)),
)
ACTS = st.one_of(
    st.builds(p.Say, words=st.integers(1, 5), meanwhile=st.just(True)),
    st.builds(p.Nod, name=st.just("yeah")),
    st.builds(p.Create, instructions=st.sampled_from((None, "i1"))),
    st.builds(p.Cancel, which=st.sampled_from(("newest", "older", "unknown"))),
    st.builds(p.Message, role=st.sampled_from(("user", "system"))),
    st.builds(p.Change, what=st.sampled_from(("prompt", "tools", "volume", "frozen"))),
    st.builds(p.Nonsense, kind=st.sampled_from(("no_json", "binary", "bogus_result"))),
)


class Call(RuleBasedStateMachine):
    """One call. Its loop stands still between two steps."""

    def __init__(self) -> None:
        super().__init__()
        self._logs = capture_logs()
        self._logs.__enter__()
        loop = functools.partial(VirtualTimeLoop, LIMIT_S)
        self._runner = asyncio.Runner(loop_factory=loop)
        self._call: Performance

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        with wall_clock(self._runner.get_loop().time):
            self._runner.run(work)

    @initialize(setting=SETTINGS, providers=PROVIDERS, pace=st.sampled_from(("fast", "slow")))
    def begin(self, setting: p.Setting, providers: p.Providers, pace: p.Pace) -> None:
        """The first socket, and the first update."""
        plan = p.Plan(0, setting, providers, recorder=pace, journal=True, drops=DROPS)

        async def opened() -> None:
            self._call = Performance(World(plan))
            await self._call.begin()

        self._run(opened())

    @rule(act=ACTS)
    def act(self, act: p.Act) -> None:
        """The caller does something."""
        self._run(self._call.script.perform(act))

    @rule(seconds=st.sampled_from((0.05, 0.3, 1.0, 2.5, 8.0)))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self._run(asyncio.sleep(seconds))

    @precondition(lambda self: self._call.caller.live is not None)
    @rule(how=st.sampled_from(("close", "reset", "dark", "in_frame", "none")))
    def lose(self, how: p.How) -> None:
        """The socket is lost."""
        link = self._call.caller.live
        assert link is not None
        self._run(self._call.fate.lose(link, how))

    @rule(attempts=st.lists(ATTEMPTS, min_size=1, max_size=3))
    def come_back(self, attempts: list[p.Attempt]) -> None:
        """The client comes back, or takes its own session over."""
        self._run(self._call.fate.come_back(tuple(attempts)))

    @rule(stage=st.sampled_from(("llm", "tts")), fault=st.sampled_from(REPLY_FAULTS))
    def befall(self, stage: str, fault: str) -> None:
        """The next replies fail."""
        self._call.world.twins.befall(stage, fault)

    @invariant()
    def rules_hold(self) -> None:
        """Every rule, after every step."""
        assert self._call.world.watch.broken == []

    def teardown(self) -> None:
        """The call comes to rest and ends; nothing is left."""
        try:
            if hasattr(self, "_call"):
                self._run(self._call.end())
                assert self._call.world.watch.broken == []
        finally:
            self._runner.close()
            self._logs.__exit__(None, None, None)


DROPS = (p.Drop("anytime", 0.0, "reset", 0.0, ()),)
"""That there may be drops; when is for Hypothesis to say."""

TestCall = pytest.mark.timeout(900)(Call.TestCase)  # A failure is made as short as can be.
TestCall.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    print_blob=True,
    report_multiple_bugs=False,
)
