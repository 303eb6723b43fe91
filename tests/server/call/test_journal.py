"""A call's journal: what it holds, and that it replays the call."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from antiphon_protocol import voice_agent as wire
from antiphon_server.call import journal
from antiphon_server.call.journal import (
    Difference,
    Journal,
    JournalFile,
    Step,
    Unreadable,
    journal_path,
)
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.manners import Manners
from antiphon_server.observe import metrics
from server.call.scripted_call import Stages, calling, silent, stt, voiced
from server.call.twins import PageTwin
from server.store.limits import largest_file
from virtual_time import in_virtual_time

OPENED = b'{"at":0.0,"event":{"type":"SessionOpened","greets":false},"manners":{}}\n'
SPOKE = (
    b'{"at":1.0,"event":{"type":"VoiceStarted"},"commands":'
    b'[{"type":"TellSpeechStarted"},{"type":"Wait","timer":"utterance","ms":60000}]}\n'
)


async def _journalled() -> list[bytes]:
    """The lines of a call with a greeting, an interruption, a change of settings and an end."""
    page = PageTwin()
    stages = Stages(stt=stt(utterances="wait a moment please"), journal=lambda _id: page)
    async with calling(stages, greeting="One two three four five six seven eight.") as caller:
        await caller.until(wire.ReplyAudio)
        await caller.play(silent(500) + voiced(1400) + silent(1500))
        caller.update(input={"turn_detection": {"min_silence": 2000, "max_silence": 4000}})
        await caller.until(wire.SessionUpdated)
        await caller.play(voiced(900) + silent(5000))
        caller.tell(wire.EndSession())
        await caller.ended()
    assert page.is_closed
    return page.lines


@in_virtual_time
async def test_a_call_is_replayed_step_by_step() -> None:
    """From its journal alone, with the settings that counted at the time."""
    lines = await _journalled()
    assert journal.replay(journal.read(lines)) == len(lines)
    steps = list(journal.read(lines))
    assert isinstance(steps[0].event, v.SessionOpened)
    assert isinstance(steps[-1].event, v.EndRequested)
    assert [step.at for step in steps] == sorted(step.at for step in steps)


@in_virtual_time
async def test_manners_are_written_where_they_changed() -> None:
    """Once at the start, once at the change."""
    steps = list(journal.read(await _journalled()))
    changed = [step.manners for step in steps if step.manners is not None]
    assert len(changed) == 2
    assert steps[0].manners is changed[0]
    assert changed[1].patience.open == 4000


@in_virtual_time
async def test_the_first_difference_is_shown() -> None:
    """Its line, what was decided then, and what is decided now."""
    lines = await _journalled()
    number = next(at for at, line in enumerate(lines) if b"VoiceStarted" in line)
    changed = lines[number].replace(b"insist", b"assist")
    assert changed != lines[number]
    difference = journal.replay(journal.read([*lines[:number], changed, *lines[number + 1 :]]))
    assert isinstance(difference, Difference)
    assert difference.line == number + 1
    assert difference.event == v.VoiceStarted()
    assert difference.recorded != difference.replayed
    assert difference.replayed == next(iter(journal.read([lines[number]]))).commands


def test_the_steps_are_those_of_the_machine() -> None:
    """A journal written by hand, without any call."""
    assert journal.replay(journal.read([OPENED, SPOKE])) == 2
    assert journal.replay(journal.read([])) == 0
    silent_then = SPOKE.replace(b'{"type":"TellSpeechStarted"},', b"")
    difference = journal.replay(journal.read([OPENED, silent_then]))
    assert isinstance(difference, Difference)
    assert difference.line == 2


def test_a_last_line_that_was_cut_off_is_left_out() -> None:
    """A process that died was writing it; what came before is a journal."""
    assert journal.replay(journal.read([OPENED, SPOKE[:40]])) == 1


@pytest.mark.parametrize(
    "lines",
    [
        [b"nonsense\n"],
        [OPENED, SPOKE[:40] + b"\n"],
        [OPENED[:40], SPOKE],
        [OPENED, b'{"at":1.0,"event":{"type":"Sneezed"}}\n'],
        [OPENED, b"\xff\xfe\n"],
        [b"[" * 100_000 + b"\n"],
    ],
)
def test_what_is_no_journal_is_told_by_its_line(lines: list[bytes]) -> None:
    """Also where only one line is damaged, in the middle."""
    with pytest.raises(Unreadable, match=r"^line \d+ is no step of a journal"):
        list(journal.read(lines))


def test_times_count_from_the_start_of_the_journal() -> None:
    """In the seconds of the call's own clock."""
    moments = iter([100.0, 100.5, 101.25])
    page = PageTwin()
    book = Journal(page, lambda: next(moments))
    book.stepped(v.VoiceStarted(), Manners(), ())
    book.stepped(v.VoiceStopped(), Manners(), ())
    assert [step.at for step in journal.read(page.lines)] == [0.5, 1.25]


def test_a_disk_that_is_full_ends_the_journal_and_nothing_else() -> None:
    """It is a help in looking for faults, and must not be one; what was written stays."""
    page = PageTwin(room=2)
    book = Journal(page, lambda: 0.0)
    before = metrics.JOURNALS_BROKEN._value.get()
    with capture_logs() as lines:
        for _ in range(5):
            book.stepped(v.VoiceStarted(), Manners(), ())
    assert page.is_closed
    assert [line["event"] for line in lines] == ["journal broke off"]
    assert metrics.JOURNALS_BROKEN._value.get() == before + 1
    assert len(page.lines) == 2
    book.close()


@in_virtual_time
async def test_a_call_whose_journal_breaks_goes_on() -> None:
    """To its own end."""
    pages = [PageTwin(room=0), PageTwin(room=3)]
    for page in pages:
        stages = Stages(journal=lambda _id, page=page: page)  # type: ignore[misc]
        async with calling(stages, greeting="Hello there.") as caller:
            await caller.until(wire.ReplyDone)
            await caller.say()
            await caller.until(wire.ReplyDone)
    assert [len(page.lines) for page in pages] == [0, 3]


# --- the file ------------------------------------------------------------------------------


def test_a_journal_is_a_file_of_lines(tmp_path: Path) -> None:
    """Named after its session, there after each line, and for nobody else to read."""
    path = journal_path(tmp_path, "sess_1")
    file = JournalFile(path)
    assert not path.exists()
    file.write(OPENED)
    assert path.read_bytes() == OPENED
    file.write(SPOKE)
    file.close()
    file.close()
    assert path.name == "sess_1.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("rb") as lines:
        assert list(journal.read(lines)) == list(journal.read([OPENED, SPOKE]))


def test_a_line_that_the_disk_takes_half_of_is_taken_back(tmp_path: Path) -> None:
    """What was written before is read as if nothing had happened."""
    path = journal_path(tmp_path, "sess_1")
    file = JournalFile(path)
    file.write(OPENED)
    with largest_file(len(OPENED) + 10), pytest.raises(OSError, match="No space left"):
        file.write(SPOKE)
    assert path.read_bytes() == OPENED
    file.write(SPOKE)
    file.close()
    assert path.read_bytes() == OPENED + SPOKE


def test_a_folder_that_is_gone_is_told_when_it_is_written_to(tmp_path: Path) -> None:
    """Not when the session opens."""
    file = JournalFile(journal_path(tmp_path / "gone", "sess_1"))
    with pytest.raises(FileNotFoundError):
        file.write(OPENED)
    file.close()


def test_a_step_is_one_line_of_json() -> None:
    """Defaults are left out: a journal of an hour stays small."""
    page = PageTwin()
    Journal(page, lambda: 0.0).stepped(v.TurnJudged(None), Manners(), (v.AskIfDone(),))
    (line,) = page.lines
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert next(iter(journal.read([line]))) == Step(
        0.0, v.TurnJudged(None), (v.AskIfDone(),), Manners()
    )
