"""Which calls are traced, where their traces go, and what it costs where they are off."""

from __future__ import annotations

import subprocess
import sys

import pytest

from antiphon_server.observe import traces
from antiphon_server.observe.traces import BadEndpoint, Sampling, Traces, endpoint, traces_of
from antiphon_server.settings import Settings, SettingsError, read
from server.observe.kept_spans import KeptSpans

CANARY = "canary-of-a-password"
PARENT = f"00-{'ab' * 16}-{'cd' * 8}-"
BASE, EXACT = traces.BASE, traces.EXACT


def begun(ratio: float, header: str | None = None, count: int = 2000, **more: bool) -> list[bool]:
    """Whether so many calls are traced."""
    node = Traces(KeptSpans(), Sampling(ratio, **more))
    return [node.begin(header).sampled for _ in range(count)]


def test_a_share_of_calls_is_traced() -> None:
    """None, all, or about as many as were asked for."""
    assert not any(begun(0.0))
    assert all(begun(1.0))
    assert 800 < sum(begun(0.5)) < 1200


def test_the_same_trace_is_kept_by_everybody_who_samples_so() -> None:
    """By the last 64 bits of its id, as OpenTelemetry's own samplers decide."""
    from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased  # noqa: PLC0415

    sampler, node = TraceIdRatioBased(0.3), Traces(KeptSpans(), Sampling(0.3))
    for _ in range(500):
        trace = node.begin(None)
        theirs = sampler.should_sample(None, trace.trace_id, "session").decision
        assert trace.sampled == (theirs is Decision.RECORD_AND_SAMPLE)


def test_a_caller_decides_about_its_own_traces_where_it_may() -> None:
    """Its flag counts, whatever the ratio; not so where its word is not taken."""
    assert all(begun(0.0, f"{PARENT}01"))
    assert not any(begun(1.0, f"{PARENT}00"))
    assert all(begun(1.0, f"{PARENT}00", accepts_parent=False))
    trace = Traces(KeptSpans(), Sampling()).begin(f"{PARENT}01")
    assert (trace.trace_id, trace.parent_id) == (int("ab" * 16, 16), int("cd" * 8, 16))
    trace = Traces(KeptSpans(), Sampling(accepts_parent=False)).begin(f"{PARENT}01")
    assert trace.parent_id is None
    assert trace.trace_id != int("ab" * 16, 16)


async def test_the_end_is_the_exporters() -> None:
    """It sends what is left."""
    kept = KeptSpans()
    await Traces(kept, Sampling()).close()
    assert kept.closed == 1


@pytest.mark.parametrize(
    ("own", "environment", "url"),
    [
        ("", {}, None),
        ("http://c:4318", {}, "http://c:4318/v1/traces"),
        ("http://c:4318/", {BASE: "http://other"}, "http://c:4318/v1/traces"),
        ("https://c/otlp/v1/traces", {}, "https://c/otlp/v1/traces"),
        ("", {BASE: "http://c:4318/"}, "http://c:4318/v1/traces"),
        ("", {BASE: "http://c:4318", EXACT: "http://d/in"}, "http://d/in"),
        ("", {BASE: "http://c", "OTEL_SDK_DISABLED": "true"}, None),
        ("", {BASE: "http://c", "OTEL_TRACES_EXPORTER": "none"}, None),
        ("", {BASE: "  "}, None),
    ],
)
def test_the_collector_is_named_by_our_setting_or_by_everybodys(
    own: str, environment: dict[str, str], url: str | None
) -> None:
    """Ours wins; a base has the path added, the exact address has not."""
    assert endpoint(Settings(otlp_endpoint=own), environment) == url


@pytest.mark.parametrize(
    "wrong",
    [
        "collector:4317",
        "grpc://collector:4317",
        f"ftp://user:{CANARY}@collector",
        "http://",
        "http://c:99999",
        "http://[::1",
        "http://c c",
        "http://c/\x7f",
        "http://c:0",
    ],
)
@pytest.mark.parametrize("ours", [True, False])
def test_an_address_that_cannot_be_is_told(wrong: str, ours: bool) -> None:
    """Which setting, and what would do; not the value, which may hold a password."""
    own, others = (wrong, {}) if ours else ("", {EXACT: wrong})
    with pytest.raises(BadEndpoint) as told:
        endpoint(Settings(otlp_endpoint=own), others)
    assert (traces.SETTING if ours else EXACT) in str(told.value)
    assert "http://localhost:4318" in str(told.value)
    assert CANARY not in str(told.value)


def test_without_the_library_a_setting_of_ours_is_a_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says what to install. A variable that may be meant for others is only a warning."""
    monkeypatch.setitem(sys.modules, traces.EXPORTER, None)
    with pytest.raises(BadEndpoint, match=r"antiphon\[otel\]"):
        traces_of(Settings(otlp_endpoint="http://c"), {})
    assert traces_of(Settings(), {BASE: "http://c"}) is None


@pytest.mark.parametrize("ratio", ["-0.1", "1.1", "half"])
def test_a_ratio_is_a_share(ratio: str) -> None:
    """From 0 to 1."""
    with pytest.raises(SettingsError, match="ANTIPHON_OTLP_SAMPLE_RATIO"):
        read({"ANTIPHON_OTLP_SAMPLE_RATIO": ratio})


def test_a_server_without_traces_does_not_load_the_library() -> None:
    """Off costs nothing."""
    program = (
        "import sys, antiphon_server.cli; from antiphon_server.observe.traces import traces_of; "
        "from antiphon_server.settings import Settings; "
        "assert traces_of(Settings(), {}) is None; "
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert done.returncode == 0
