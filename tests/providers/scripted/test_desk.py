"""How scripted providers count, wait and fail."""

import asyncio

import pytest

from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.scripted.desk import AT_OPEN, Closed, Desk, Fault
from virtual_time import in_virtual_time


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", None),
        ("  ", None),
        ("unavailable", Fault("unavailable")),
        ("refused at open", Fault("refused", AT_OPEN)),
        ("stall after 3", Fault("stall", 3)),
        ("empty times 2", Fault("empty", 0, 2)),
        (" too_slow after 1 times 1 ", Fault("too_slow", 1, 1)),
    ],
)
def test_a_fault_can_be_told_in_words(text: str, fault: Fault | None) -> None:
    """As settings give it."""
    assert Fault.parse(text) == fault


@pytest.mark.parametrize("text", ["broken", "stall after", "stall 3", "stall after -1", "at open"])
def test_words_that_tell_no_fault_are_an_error(text: str) -> None:
    """It names those there are."""
    with pytest.raises(ValueError, match="unavailable, refused"):
        Fault.parse(text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("unavailable", Unavailable),
        ("refused", Refused),
        ("too_slow", TooSlow),
        ("malformed", Malformed),
    ],
)
async def test_each_kind_raises_its_error(text: str, error: type[ProviderError]) -> None:
    """With the provider's name."""
    desk = Desk("scripted", Fault.parse(text))
    with desk.stream() as stream:
        await stream.open()
        with pytest.raises(error) as raised:
            await stream.result(0)
    assert raised.value.provider == "scripted"


async def test_a_fault_comes_after_its_number_of_results() -> None:
    """Not before, and not at open."""
    desk = Desk("scripted", Fault("unavailable", 2))
    with desk.stream() as stream:
        await stream.open()
        await stream.result(0)
        await stream.result(0)
        with pytest.raises(Unavailable):
            await stream.result(0)


async def test_a_fault_befalls_its_number_of_streams() -> None:
    """Those after them are served, so that a second try can be tested."""
    desk = Desk("scripted", Fault("unavailable", AT_OPEN, times=2))
    failed = 0
    for _ in range(4):
        with desk.stream() as stream:
            try:
                await stream.open()
            except Unavailable:
                failed += 1
    assert failed == 2
    assert desk.fault is None


async def test_a_fault_can_be_chosen_between_two_streams() -> None:
    """It holds for those opened from then on, until it is taken away."""
    desk = Desk("scripted", None)
    desk.fault = Fault("refused", AT_OPEN)
    with desk.stream() as stream, pytest.raises(Refused):
        await stream.open()
    desk.fault = None
    with desk.stream() as stream:
        await stream.open()


def test_streams_are_counted() -> None:
    """Also those that end with an error."""
    desk = Desk("scripted", None)
    with desk.stream(), desk.stream():
        assert (desk.opened, desk.closed, desk.active) == (2, 0, 2)
    with pytest.raises(LookupError), desk.stream():
        raise LookupError
    assert (desk.opened, desk.closed, desk.active) == (3, 3, 0)


@in_virtual_time
async def test_a_result_comes_at_its_time() -> None:
    """One that is overdue comes at once."""
    loop = asyncio.get_running_loop()
    with Desk("scripted", None).stream() as stream:
        await stream.result(1.5)
        assert loop.time() == pytest.approx(1.5)
        await stream.result(1.0)
        assert loop.time() == pytest.approx(1.5)


@in_virtual_time
async def test_a_stalled_stream_waits_until_it_is_cancelled() -> None:
    """Neither time nor anything else ends it, and cancelling ends it at once."""
    loop = asyncio.get_running_loop()
    with Desk("scripted", Fault("stall")).stream() as stream, pytest.raises(TimeoutError):
        async with asyncio.timeout(100):
            await stream.result(0)
    assert loop.time() == pytest.approx(100)


@in_virtual_time
async def test_shutting_the_desk_ends_what_waits_and_what_comes() -> None:
    """Each wait raises ``Closed``: for a time, for ever, and after the fact."""
    desk = Desk("scripted", None)

    async def wait(when: float | None) -> None:
        with desk.stream() as stream, pytest.raises(Closed):
            await stream.until(when)

    async with asyncio.TaskGroup() as group:
        for when in (None, 50.0):
            group.create_task(wait(when))
        await asyncio.sleep(1)
        desk.shut()
    await wait(None)
    assert asyncio.get_running_loop().time() == pytest.approx(1)
    assert desk.active == 0
