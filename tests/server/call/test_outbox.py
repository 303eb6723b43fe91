"""What waits to be sent: order, pace, lead, and how it is forgotten."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol.audio import PCM, PCMU
from antiphon_server.call import outbox
from antiphon_server.call.dialect import Frame
from antiphon_server.call.outbox import ClientStalled, Outbox, Playback
from server.call.outbox_wire import FRAME, LEAD_MS, Wire, pcm, sending
from server.call.scripted_call import sample
from virtual_time import in_virtual_time


@in_virtual_time
async def test_messages_go_at_once_and_in_order() -> None:
    """None waits for a clock, none overtakes another."""
    async with sending() as line:
        for number in range(100):
            line.outbox.tell(Frame(str(number)))
    assert [frame for _, frame in line.frames] == [str(number) for number in range(100)]
    assert {when for when, _ in line.frames} == {0.0}


@in_virtual_time
async def test_audio_is_sent_at_the_pace_at_which_it_is_played() -> None:
    """At any time no more is out than has been played plus the lead, and no less: a caller
    never runs dry while there is audio, and an interruption has little to recall.
    """
    async with sending() as line:
        playback = line.playback()
        line.outbox.play(playback, pcm(5000))
        line.outbox.complete(playback)
        await playback.finished()
        assert line.loop.time() == pytest.approx(5.0, abs=0.001)
    for when, sent in line.audio_ms:
        assert sent <= when * 1000 + LEAD_MS + outbox.FRAME_MS + 0.01
        assert sent >= min(5000.0, when * 1000)
    assert line.audio_ms[-1][1] == pytest.approx(5000)


@in_virtual_time
async def test_frames_are_whole_but_for_the_last() -> None:
    """Audio of any lengths becomes frames of 40 ms; nothing is lost or doubled."""
    async with sending() as line:
        playback = line.playback()
        for _ in range(70):
            line.outbox.play(playback, pcm(7))
        line.outbox.complete(playback)
        await playback.finished()
    sizes = [int(frame.split()[2]) for _, frame in line.frames]
    assert set(sizes[:-1]) == {FRAME}
    assert sum(sizes) == 70 * PCM.size(7)


@in_virtual_time
async def test_a_message_overtakes_audio_that_is_not_due() -> None:
    """Control never waits behind sound."""
    async with sending() as line:
        playback = line.playback()
        line.outbox.play(playback, pcm(1000))
        await asyncio.sleep(0.01)
        line.outbox.tell(Frame("now"))
        await asyncio.sleep(0.0001)
        when, frame = line.frames[-1]
        assert frame == "now"
        assert when == pytest.approx(0.01, abs=0.001)
        line.outbox.hush(1)


@in_virtual_time
async def test_after_hush_no_frame_of_the_reply_is_sent() -> None:
    """What waited is forgotten, and what is still given is too."""
    async with sending() as line:
        playback = line.playback()
        line.outbox.play(playback, pcm(2000))
        await asyncio.sleep(0.5)
        line.outbox.hush(1)
        line.outbox.tell(Frame("done"))
        line.outbox.play(playback, pcm(2000))
        await asyncio.sleep(5)
    frames = [frame for _, frame in line.frames]
    assert frames[-1] == "done"
    assert len(frames) > 10


@in_virtual_time
async def test_hushing_an_old_reply_leaves_the_new_one_alone() -> None:
    """Hush is by number."""
    async with sending() as line:
        old = line.playback(1)
        new = line.playback(2)
        line.outbox.hush(1)
        line.outbox.play(old, pcm(1000))
        line.outbox.play(new, pcm(400))
        line.outbox.complete(new)
        await new.finished()
    assert {frame.split()[1] for _, frame in line.frames} == {"2"}


@in_virtual_time
async def test_each_frame_is_reported_with_its_reply() -> None:
    """``sent`` is called once a frame has been taken, not before."""
    async with sending() as line:
        line.open.clear()
        playback = line.playback(7)
        line.outbox.play(playback, pcm(80))
        await asyncio.sleep(1)
        assert line.sounded == []
        line.open.set()
        line.outbox.complete(playback)
        await playback.finished()
        assert line.sounded == [7, 7]


@in_virtual_time
async def test_played_counts_what_was_played_not_what_was_sent() -> None:
    """The lead is out, but not heard; at the end all of it is."""
    async with sending() as line:
        playback = line.playback()
        line.outbox.play(playback, pcm(3000))
        await asyncio.sleep(1.0)
        now = line.loop.time()
        assert playback.played_ms(now) == pytest.approx(1000, abs=1)
        assert playback.sent_ms >= 1000 + LEAD_MS - outbox.FRAME_MS
        line.outbox.complete(playback)
        await playback.finished()
        assert playback.played_ms(line.loop.time()) == pytest.approx(3000)


@in_virtual_time
async def test_a_reply_without_audio_finishes_when_it_is_complete() -> None:
    """Nothing to play is played at once; the wait for it ends."""
    async with sending() as line:
        playback = line.playback()
        assert not playback.is_finished
        line.outbox.complete(playback)
        await playback.finished()
        assert playback.is_finished
        assert playback.played_ms(line.loop.time()) == 0.0


@in_virtual_time
async def test_audio_that_runs_dry_goes_on_and_is_counted() -> None:
    """A gap is not made up for by haste: after it the pace is real time again."""
    before = sample("antiphon_audio_late_total")
    async with sending() as line:
        playback = line.playback()
        line.outbox.play(playback, pcm(400))
        await asyncio.sleep(2.0)
        line.outbox.play(playback, pcm(1000))
        line.outbox.complete(playback)
        await playback.finished()
        assert line.loop.time() == pytest.approx(3.0, abs=0.001)
    assert sample("antiphon_audio_late_total") == before + 1


@in_virtual_time
async def test_a_caller_who_hears_nothing_gets_the_little_there_is() -> None:
    """The first 10 ms of a reply go at once, and so does what is left when the sound runs dry;
    less than that waits for more.
    """
    async with sending() as line:
        playback = line.playback()
        line.outbox.play(playback, pcm(9))
        await asyncio.sleep(0.1)
        assert line.frames == []
        line.outbox.play(playback, pcm(1))
        await asyncio.sleep(0.001)
        assert [frame for _, frame in line.frames] == [f"audio 1 {PCM.size(10)}"]
        line.outbox.play(playback, pcm(60))
        await asyncio.sleep(1.0)
        assert line.audio_ms[-1][1] == pytest.approx(70)
        line.outbox.hush(1)


@in_virtual_time
async def test_synthesis_waits_while_enough_is_buffered() -> None:
    """``room`` closes beyond eight seconds and opens again at half of that."""
    async with sending() as line:
        playback = line.playback()
        line.outbox.play(playback, pcm(outbox.MOST_BUFFERED_MS + 1000))
        await playback.room()
        waited = line.loop.time()
        assert waited == pytest.approx(5.0 - LEAD_MS / 1000, abs=0.1)
        line.outbox.hush(1)


@in_virtual_time
async def test_the_pace_of_g711_is_its_own() -> None:
    """A second of μ-law is 8,000 bytes and takes a second."""
    async with sending() as line:
        playback = Playback(1, PCMU, LEAD_MS)
        line.outbox.begin(playback)
        line.outbox.play(playback, bytes(8000))
        line.outbox.complete(playback)
        await playback.finished()
        assert line.loop.time() == pytest.approx(1.0, abs=0.001)


@in_virtual_time
async def test_a_client_that_leaves_too_much_unread_is_stalled() -> None:
    """``tell`` never waits; it raises once half a megabyte is unread."""
    line = Wire()
    frame = "x" * 1024
    for _ in range(outbox.MOST_WAITING_BYTES // 1024):
        line.outbox.tell(Frame(frame))
    with pytest.raises(ClientStalled):
        line.outbox.tell(Frame(frame))


@in_virtual_time
async def test_what_was_read_no_longer_counts_as_unread() -> None:
    """Megabytes in all are no offence for a client that reads."""
    async with sending() as line:
        for _ in range(100):
            line.outbox.tell(Frame("x" * 100_000))
            await asyncio.sleep(0.001)
    assert len(line.frames) == 100


@in_virtual_time
async def test_a_frame_that_is_not_taken_in_time_is_a_stall() -> None:
    """For messages and for audio alike, after ``SEND_SECONDS``."""
    for is_audio in (False, True):
        line = Wire()
        line.open.clear()
        if is_audio:
            line.outbox.play(line.playback(), pcm(100))
        else:
            line.outbox.tell(Frame("a message"))
        began = line.loop.time()
        with pytest.raises(ClientStalled):
            await line.run()
        assert line.loop.time() - began == pytest.approx(outbox.SEND_SECONDS)


@in_virtual_time
async def test_closing_sends_the_messages_that_wait_and_no_audio() -> None:
    """The goodbye is not lost, and does not wait for the sound."""
    line = Wire()
    playback = line.playback()
    line.outbox.play(playback, pcm(5000))
    line.outbox.tell(Frame("goodbye"))
    line.outbox.close()
    await line.run()
    assert [frame for _, frame in line.frames] == ["goodbye"]


@in_virtual_time
async def test_waiting_costs_no_turns_of_the_loop() -> None:
    """With nothing to send, nothing runs: the loop is not kept awake by times that differ in
    their last bits only.
    """
    line = Wire()
    took = 0

    def now() -> float:
        nonlocal took
        took += 1
        return line.loop.time()

    line.outbox = Outbox(now)
    task = asyncio.create_task(line.run())
    await asyncio.sleep(1000.1)
    for number in range(1, 4):
        playback = line.playback(number)
        line.outbox.play(playback, pcm(777.7))
        line.outbox.complete(playback)
        await playback.finished()
    line.outbox.close()
    await task
    assert took < 3 * 2.5 * 778 / outbox.FRAME_MS


@in_virtual_time
async def test_audio_is_known_by_the_moment_it_is_heard() -> None:
    """Each frame follows the one before it, whatever the lead."""
    async with sending() as line:
        playback = line.playback()
        line.outbox.play(playback, pcm(400))
        line.outbox.complete(playback)
        await playback.finished()
    passed = 0.0
    for sounds_at, ms in line.heard_at:
        assert sounds_at == pytest.approx(passed / 1000)
        passed += ms


@in_virtual_time
async def test_a_socket_that_takes_frames_at_once_is_not_waited_for() -> None:
    """Messages and audio in the same order and at the same times as over any other."""
    told: list[list[tuple[float, str]]] = []
    for at_once in (False, True):
        async with sending() as line:
            line.takes_at_once = at_once
            began = line.loop.time()
            playback = line.playback()
            line.outbox.play(playback, pcm(1000))
            for name in ("one", "two"):
                line.outbox.tell(Frame(name))
            await asyncio.sleep(0.3)
            line.outbox.tell(Frame("three"))
            line.outbox.complete(playback)
            await playback.finished()
            assert line.pushed == (len(line.frames) if at_once else 0)
            told.append([(round(when - began, 6), frame) for when, frame in line.frames])
    assert told[0] == told[1]


@in_virtual_time
async def test_a_socket_that_is_full_for_a_while_keeps_the_order() -> None:
    """What cannot be taken at once is waited for, and what comes after it goes after it."""
    async with sending() as line:
        line.open.clear()
        line.outbox.tell(Frame("one"))
        await asyncio.sleep(1)
        line.takes_at_once = True
        line.outbox.tell(Frame("two"))
        await asyncio.sleep(1)
        assert line.frames == []
        line.open.set()
        await asyncio.sleep(0.1)
        assert [frame for _, frame in line.frames] == ["one", "two"]
