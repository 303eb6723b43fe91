"""Keys of recordings, and what is told of one."""

from __future__ import annotations

import msgspec
import pytest

from antiphon_server.store.artifacts import Recorded, audio_key, checked


def test_the_key_of_a_sessions_audio_is_its_file() -> None:
    """A name that is safe in a folder, in a bucket and in a URL."""
    assert audio_key("sess_0aZ-9") == "sess_0aZ-9.ogg"
    assert checked("sess_1.ogg") == "sess_1.ogg"


@pytest.mark.parametrize("wrong", ["", "a/b", "..", "a.b", "a b", "ä", "a\n", "x" * 101])
def test_an_id_that_is_none_has_no_key(wrong: str) -> None:
    """It could lead somewhere else."""
    with pytest.raises(ValueError, match="not a key"):
        audio_key(wrong)


def test_what_is_recorded_survives_storage() -> None:
    """As JSON, and back."""
    recorded = Recorded("a.ogg", 10, 1, 2.5, incomplete=True)
    assert msgspec.convert(msgspec.to_builtins(recorded), Recorded) == recorded
