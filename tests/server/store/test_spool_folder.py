"""Who owns what in a spool folder: the living keep theirs, what the dead left is taken once."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon_server.store.spool_folder import Claim, claim

CLAIM = """
import sys
from pathlib import Path
from antiphon_server.store.spool_folder import claim
own, dead = claim(Path(sys.argv[1]), "node")
own.segment(1).write_bytes(b"")
print(own.name, *(found.name for found in dead), flush=True)
sys.stdin.readline()
"""


def _process(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _told(process: subprocess.Popen[str]) -> tuple[str, set[str]]:
    assert process.stdout is not None
    own, *dead = process.stdout.readline().split()
    return own, set(dead)


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _release(*claims: Claim) -> None:
    for each in claims:
        each.release(is_done=False)


def test_a_folder_is_made_for_this_user_only(tmp_path: Path) -> None:
    """What was said is in it."""
    own, dead = claim(tmp_path / "data" / "spool", "node")
    assert dead == []
    assert stat.S_IMODE((tmp_path / "data/spool").stat().st_mode) == 0o700
    _release(own)


def test_what_killed_processes_left_is_found_and_the_living_are_left_alone(tmp_path: Path) -> None:
    """A lock is free when its process is gone, however it went."""
    living, killed, other = (_process(tmp_path) for _ in range(3))
    names = [_told(process)[0] for process in (living, killed, other)]
    _kill(killed)
    _kill(other)
    own, dead = claim(tmp_path, "node")
    assert {found.name for found in dead} == set(names[1:])
    assert [found.segments() for found in dead] == [[found.segment(1)] for found in dead]
    _release(own, *dead)
    _kill(living)


def test_processes_that_start_at_once_share_what_was_left(tmp_path: Path) -> None:
    """Each dead run is taken by one of them."""
    left = []
    for _ in range(3):
        own, dead = claim(tmp_path, "node")
        left.append(own)
        assert dead == []
    _release(*left)
    processes = [_process(tmp_path) for _ in range(3)]
    taken = [_told(process)[1] for process in processes]
    assert sorted(name for names in taken for name in names) == sorted(each.name for each in left)
    for process in processes:
        _kill(process)


def test_a_run_that_is_done_leaves_no_lock(tmp_path: Path) -> None:
    """The next one finds nothing; one that is not done is found again."""
    own, _ = claim(tmp_path, "node")
    own.release(is_done=True)
    assert list(tmp_path.glob("*.lock")) == []
    half, dead = claim(tmp_path, "node")
    assert dead == []
    half.release(is_done=False)
    own, dead = claim(tmp_path, "node")
    assert [found.name for found in dead] == [half.name]
    _release(own, *dead)


def test_records_whose_lock_somebody_deleted_are_found(tmp_path: Path) -> None:
    """The segments are what counts."""
    (tmp_path / "node-1-abc.00000002.jsonl").write_bytes(b"")
    (tmp_path / "node-1-abc.00000001.jsonl").write_bytes(b"")
    (tmp_path / "rejected.jsonl").write_bytes(b"")
    own, dead = claim(tmp_path, "node")
    assert [found.name for found in dead] == ["node-1-abc"]
    assert [path.name for path in dead[0].segments()] == [
        "node-1-abc.00000001.jsonl",
        "node-1-abc.00000002.jsonl",
    ]
    _release(own, *dead)


@pytest.mark.parametrize("node", ["", "../../etc", "a.b", "ö" * 500, "x\0y", "node one"])
def test_any_name_of_a_node_makes_a_file_name(tmp_path: Path, node: str) -> None:
    """It stays in the folder, in the column of the database, and is found when it is dead."""
    own, _ = claim(tmp_path, node)
    assert own.segment(1).parent == tmp_path
    assert len(own.name) <= 80
    own.segment(1).write_bytes(b"")
    assert own.segments() == [own.segment(1)]
    _release(own)
    next_own, dead = claim(tmp_path, node)
    assert [found.name for found in dead] == [own.name]
    _release(next_own, *dead)


def test_two_runs_of_one_process_have_names_of_their_own(tmp_path: Path) -> None:
    """Also on the same node."""
    one, _ = claim(tmp_path, "node")
    other, dead = claim(tmp_path, "node")
    assert one.name != other.name
    assert dead == []
    _release(one, other)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """The operating system's own."""
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"):
        claim(tmp_path / "file" / "spool", "node")
