"""One file of the spool: whole lines come back, half lines never do."""

from pathlib import Path

import pytest

from antiphon_server.store.spool_segment import Line, Segment, decode, encode
from server.store.limits import largest_file
from server.store.talk import answered, ended, said, started, used


@pytest.mark.parametrize(
    "record", [started(webhook=b"\0\xff"), said(1), answered(2), used(3), ended(4)]
)
def test_a_line_is_read_as_it_was_written(record: object) -> None:
    """Every kind of record."""
    line = Line("sess_1", record)  # type: ignore[arg-type]
    assert decode(encode(line)) == line


@pytest.mark.parametrize(
    "text", ["\0", "\n\r\u2028", "😀" * 1000, '"\\', "x" * 1_000_000, "\ufffe"]
)
def test_whatever_was_said_is_one_line(text: str) -> None:
    """Its end is the only line feed in it."""
    line = encode(Line("sess_1", said(1, text)))
    assert line.count(b"\n") == 1
    assert decode(line).record == said(1, text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0" * 100,
        b"{}",
        b"[1]",
        b'{"session_id":"s","record":{"kind":"said"}}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_a_damaged_line_is_told(text: bytes) -> None:
    """Whatever a broken disk made of it."""
    with pytest.raises(ValueError, match="not a line"):
        decode(text)


def test_what_is_appended_can_be_read_by_pieces(tmp_path: Path) -> None:
    """Each piece is whole lines, in order; nothing follows the last."""
    segment = Segment(tmp_path / "a", is_new=True)
    segment.append(b"one\ntwo\n", fsync=False)
    segment.append(b"three\n", fsync=True)
    pieces = []
    while piece := segment.read(5):
        pieces.append(piece)
        segment.applied += len(piece)
    assert pieces == [b"one\n", b"two\n", b"three\n"]
    segment.close()


def test_a_line_longer_than_a_piece_is_a_piece(tmp_path: Path) -> None:
    """However long."""
    segment = Segment(tmp_path / "a", is_new=True)
    long = b"x" * 1_000_000 + b"\n"
    segment.append(long + b"next\n", fsync=False)
    assert segment.read(10).startswith(long)
    segment.close()


@pytest.mark.parametrize("torn", [b"", b"hal", b"x" * 100_000])
def test_the_torn_last_line_of_a_crash_is_none(tmp_path: Path, torn: bytes) -> None:
    """What comes before it is whole."""
    (tmp_path / "a").write_bytes(b"one\n" + torn)
    segment = Segment(tmp_path / "a", is_new=False)
    assert segment.is_complete
    assert segment.read(1000) == b"one\n"
    segment.applied = 4
    assert segment.read(10) == b""
    segment.close()


def test_a_file_that_is_there_is_not_begun_again(tmp_path: Path) -> None:
    """Nothing of another run is ever appended to."""
    (tmp_path / "a").write_bytes(b"one\n")
    with pytest.raises(FileExistsError):
        Segment(tmp_path / "a", is_new=True)


def test_a_batch_that_the_disk_does_not_take_leaves_no_half_line(tmp_path: Path) -> None:
    """The part that was written is taken back, and what comes next is whole."""
    segment = Segment(tmp_path / "a", is_new=True)
    segment.append(b"one\n", fsync=False)
    with largest_file(300_000), pytest.raises(OSError, match="large"):
        segment.append(b"x" * 500_000 + b"\n", fsync=False)
    segment.append(b"two\n", fsync=False)
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"
    assert segment.written == 8
    segment.close()


def test_a_segment_outlives_its_folder(tmp_path: Path) -> None:
    """Whoever deletes the files of a running server deletes no record."""
    (tmp_path / "spool").mkdir()
    segment = Segment(tmp_path / "spool/a", is_new=True)
    segment.append(b"one\n", fsync=False)
    (tmp_path / "spool/a").unlink()
    (tmp_path / "spool").rmdir()
    segment.append(b"two\n", fsync=True)
    assert segment.read(100) == b"one\ntwo\n"
    segment.remove()
