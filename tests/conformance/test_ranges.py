"""Ranges of the configuration, both ends and just beyond (Appendix B)."""

from __future__ import annotations

from typing import Any

import pytest

from conformance import spec
from conformance.dialogue import LOOK_UP
from conformance.target import Target
from conformance.wire import opened, ready

WITHIN = [(path, value) for path, (good, _) in spec.RANGES.items() for value in good]
BEYOND = [(path, value) for path, (_, bad) in spec.RANGES.items() for value in bad]
TOOL_WITHIN = [(path, value) for path, (good, _) in spec.TOOL_RANGES.items() for value in good]
TOOL_BEYOND = [(path, value) for path, (_, bad) in spec.TOOL_RANGES.items() for value in bad]


def _name(value: Any) -> str:
    return f"{len(value)} long" if isinstance(value, list) else str(value)[:8]


@pytest.mark.parametrize(("path", "value"), WITHIN, ids=_name)
async def test_a_value_within_its_range_is_taken(target: Target, path: str, value: Any) -> None:
    """§B, §3.1, §3.2: the ends of the range are part of it."""
    async with opened(target) as call:
        config = (await ready(call, **spec.nested(path, value)))["config"]
        assert spec.at(config, path) == value


@pytest.mark.recommended
@pytest.mark.parametrize(("path", "value"), BEYOND, ids=_name)
async def test_a_value_beyond_its_range_ends_the_first_update(
    target: Target, path: str, value: Any
) -> None:
    """§B, §9 row 32: ``invalid_value`` with the path, close 1008."""
    async with opened(target) as call:
        await call.update(**spec.nested(path, value))
        assert (await call.error("invalid_value"))["param"] == path
        assert await call.closed() == 1008


@pytest.mark.recommended
@pytest.mark.parametrize(("path", "value"), BEYOND, ids=_name)
async def test_a_value_beyond_its_range_is_only_told_later(
    target: Target, path: str, value: Any
) -> None:
    """§B, §9 row 32: ``invalid_value`` with the path; stays open, nothing applied."""
    async with opened(target) as call:
        await ready(call)
        await call.update(**spec.nested(path, value))
        assert (await call.error("invalid_value"))["param"] == path
        assert await call.fence() == []


@pytest.mark.parametrize(("path", "value"), TOOL_WITHIN, ids=_name)
async def test_a_tool_within_its_ranges_is_taken(target: Target, path: str, value: Any) -> None:
    """§B, §3.3: ``timeout_seconds`` 1 to 300, ``response_instructions`` up to 500 characters."""
    async with opened(target) as call:
        await ready(call, tools=[{**LOOK_UP, **spec.nested(path, value)}])


@pytest.mark.recommended
@pytest.mark.parametrize(("path", "value"), TOOL_BEYOND, ids=_name)
async def test_a_tool_beyond_its_ranges_is_refused(target: Target, path: str, value: Any) -> None:
    """§B, §9 row 32: ``invalid_value`` with the path of the tool's field."""
    async with opened(target) as call:
        await ready(call)
        await call.update(tools=[{**LOOK_UP, **spec.nested(path, value)}])
        error = await call.error("invalid_value")
        assert error["param"] == f"tools[0].{path}"
