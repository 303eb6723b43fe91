"""The spool: what is queued is durable soon, in order, and a broken disk stops no call."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from antiphon_server.call.records import AnyRecord
from antiphon_server.store import spool as spool_module
from antiphon_server.store.disk import Disk
from antiphon_server.store.reserve import Reserve
from antiphon_server.store.spool import Spool, Unrecorded
from antiphon_server.store.spool_folder import Claim, claim
from antiphon_server.store.spool_segment import Line, decode
from server.store.limits import full_disk, largest_file, taken
from server.store.talk import said, started


class Desk:
    """A spool in a folder, and what its thread told."""

    def __init__(
        self,
        folder: Path,
        *,
        fsync: bool = False,
        reserve: Reserve | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.claim: Claim = claim(folder, "node")[0]
        self.changes = threading.Semaphore(0)
        self.spool = Spool(
            self.claim, fsync=fsync, changed=self.changes.release, reserve=reserve, disk=disk
        )

    def append(self, record: AnyRecord, session_id: str = "sess_1") -> asyncio.Future[None]:
        """Queues a record."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.spool.append(Line(session_id, record), future)
        return future

    def lines(self) -> list[Line]:
        """What is in the files."""
        texts = [path.read_bytes() for path in self.claim.segments()]
        return [decode(line) for line in b"".join(texts).split(b"\n")[:-1]]

    def close(self) -> None:
        """Ends the thread and closes the files."""
        self.spool.close()
        for segment in self.spool.segments:
            segment.close()
        self.claim.release(is_done=True)


@pytest.fixture(params=[False, True], ids=["", "fsync"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A spool."""
    desk = Desk(tmp_path / "spool", fsync=request.param)
    yield desk
    desk.close()


async def test_a_record_is_in_a_file_when_its_future_is_done(desk: Desk) -> None:
    """So whoever is told knows that a killed process would not lose it."""
    await desk.append(started())
    assert desk.lines() == [Line("sess_1", started())]


async def test_records_are_in_their_order(desk: Desk) -> None:
    """Also those of several sessions, and more than one batch of them."""
    records = [(f"sess_{number % 7}", said(number)) for number in range(2500)]
    await asyncio.gather(*(desk.append(record, session) for session, record in records))
    assert desk.lines() == [Line(session, record) for session, record in records]
    assert desk.spool.total == sum(path.stat().st_size for path in desk.claim.segments())


async def test_a_large_segment_is_followed_by_another(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is complete, so it can be deleted once it is applied."""
    monkeypatch.setattr(spool_module, "SEGMENT_BYTES", 100)
    for number in range(3):
        await desk.append(said(number, "x" * 100))
    assert len(desk.claim.segments()) == 3
    assert [segment.is_complete for segment in desk.spool.segments][:2] == [True, True]
    assert [line.record.seq for line in desk.lines()] == [0, 1, 2]


async def test_an_old_segment_is_complete_though_nothing_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was said does not lie about for long when its session is deleted."""
    monkeypatch.setattr(spool_module, "SEGMENT_SECONDS", 0.01)
    await desk.append(said(1))
    while not desk.spool.segments[0].is_complete:
        assert await asyncio.to_thread(desk.changes.acquire, timeout=30)


async def test_a_record_that_is_no_json_fails_alone(desk: Desk) -> None:
    """Half a surrogate pair, or an object that JSON has not: the others are written."""
    bad = [
        desk.append(said(1, "half \ud800")),
        desk.append(started(config={"a": object()})),
    ]
    await desk.append(said(2))
    for future in bad:
        with pytest.raises(Unrecorded, match="JSON"):
            await future
    assert [line.record.seq for line in desk.lines()] == [2]


async def test_a_future_that_nobody_wants_any_more_stops_nothing(desk: Desk) -> None:
    """The record is written all the same, and so are the next."""
    desk.append(said(1)).cancel()
    await desk.append(said(2))
    assert [line.record.seq for line in desk.lines()] == [1, 2]


async def test_a_full_disk_fails_the_record_and_no_call(desk: Desk) -> None:
    """It is told which folder and why; once there is room again, records are durable again."""
    await desk.append(said(1))
    with largest_file(300_000):
        failed = desk.append(said(2, "x" * 500_000))
        with pytest.raises(Unrecorded, match=r"spool cannot be written: File too large"):
            await failed
    await desk.append(said(3))
    assert [line.record.seq for line in desk.lines()] == [1, 3]


async def test_on_a_full_disk_the_reserve_is_used_up_first(tmp_path: Path) -> None:
    """No record is lost while it lasts; then they are refused, and what was durable stays."""
    reserve = Reserve(tmp_path / "reserve", 20_000, 5_000)
    assert reserve.fill()
    desk = Desk(tmp_path / "spool", reserve=reserve)
    await desk.append(said(0))
    with full_disk(tmp_path, taken(tmp_path)):
        for number in range(1, 5):
            await desk.append(said(number, "x" * 4_000))
        with pytest.raises(Unrecorded, match="No space left on device"):
            await desk.append(said(5, "x" * 9_000))
    await desk.append(said(6))
    assert [line.record.seq for line in desk.lines()] == [0, 1, 2, 3, 4, 6]
    desk.close()


async def test_a_disk_is_known_to_be_full_while_the_reserve_lasts(tmp_path: Path) -> None:
    """No record is lost yet, and no new call is to be begun any more."""
    reserve = Reserve(tmp_path / "reserve", 20_000, 5_000)
    assert reserve.fill()
    disk = Disk(tmp_path / "spool", "records", "records")
    desk = Desk(tmp_path / "spool", reserve=reserve, disk=disk)
    await desk.append(said(0))
    assert disk.trouble is None
    with full_disk(tmp_path, taken(tmp_path)):
        await desk.append(said(1, "x" * 4_000))
    assert disk.trouble == "records cannot be written: No space left on device"
    desk.close()


async def test_a_disk_that_fails_again_and_again_is_no_flood_of_lines(
    desk: Desk,
) -> None:
    """A line now and then, with how many records were lost since the one before."""
    with largest_file(300_000), capture_logs() as lines:
        for number in range(5):
            with pytest.raises(Unrecorded):
                await desk.append(said(number, "x" * 500_000))
            await desk.append(said(number))
        desk.spool._silent_until = 0.0
        with pytest.raises(Unrecorded):
            await desk.append(said(9, "x" * 500_000))
    told = [line["records"] for line in lines if line["log_level"] == "error"]
    assert told == [1, 5]
    assert len(lines) == 3


async def test_a_folder_that_is_deleted_is_made_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the next segment."""
    monkeypatch.setattr(spool_module, "SEGMENT_BYTES", 1)
    await desk.append(said(1))
    shutil.rmtree(desk.claim.folder)
    await desk.append(said(2))
    assert [line.record.seq for line in desk.lines()] == [2]


async def test_a_folder_that_cannot_be_made_again_fails_the_record(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the process."""
    monkeypatch.setattr(spool_module, "SEGMENT_BYTES", 1)
    await desk.append(said(1))
    shutil.rmtree(desk.claim.folder)
    desk.claim.folder.write_text("a file where a folder should be")
    with pytest.raises(Unrecorded, match="File exists"):
        await desk.append(said(2))
    desk.claim.folder.unlink()
    await desk.append(said(3))


async def test_what_is_asked_for_comes_after_what_was_queued_before(desk: Desk) -> None:
    """When it is called, the records before it are written."""
    asked = asyncio.get_running_loop().create_future()
    futures = [desk.append(said(number)) for number in range(50)]
    loop = asyncio.get_running_loop()

    def tell() -> None:
        loop.call_soon_threadsafe(asked.set_result, desk.spool.total)

    desk.spool.when_written(tell)
    assert await asked == sum(path.stat().st_size for path in desk.claim.segments())
    assert all(future.done() for future in futures)


def test_a_spool_whose_loop_is_gone_writes_on(tmp_path: Path) -> None:
    """At the end of a server the last records still reach the disk."""
    desk = Desk(tmp_path / "spool")

    async def leave() -> None:
        for number in range(200):
            desk.append(said(number))

    asyncio.run(leave())
    desk.spool.close()
    assert len(desk.lines()) == 200
    assert all(segment.is_complete for segment in desk.spool.segments)
    desk.close()
