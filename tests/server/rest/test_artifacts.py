"""``/v1/artifacts/{session_id}/{kind}``: for whoever has a link."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.rest.artifacts import NoSuchRange, Streamed, wanted
from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.artifacts import Artifact, StorageFailed
from antiphon_server.store.database import Database
from server.rest.session_desk import AUDIO, Desk
from server.store.ended_sessions import Told


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    """The API, with a recorded session of the first account."""
    made = await Desk(database, tmp_path).open()
    await made.had(made.of_mine("s_1", is_recorded=True))
    return made


# --- what is read --------------------------------------------------------------------------


async def test_the_audio_is_what_was_recorded(desk: Desk) -> None:
    """As a download that no browser guesses about and no cache keeps; without a credential."""
    got = await desk.read((await desk.links("s_1"))["audio"])
    assert (got.status, got.raw) == (200, AUDIO)
    wanted_headers = {
        "content-type": "audio/ogg",
        "content-length": str(len(AUDIO)),
        "content-disposition": 'attachment; filename="s_1.audio.ogg"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "accept-ranges": "bytes",
    }
    assert wanted_headers.items() <= got.headers.items()


async def test_the_timeline_tells_what_was_said(desk: Desk) -> None:
    """Made of the records, as section 6.3 has it."""
    got = await desk.read((await desk.links("s_1"))["timeline"])
    assert (got.status, got.headers["content-type"]) == (200, "application/json")
    assert got.headers["content-disposition"] == 'attachment; filename="s_1.timeline.json"'
    assert got.body["session_id"] == "s_1"
    assert got.body["started_at_unix_ms"] == 1_790_000_000_500
    (turn,) = got.body["turns"]
    assert (turn["user_transcript"], turn["agent_text"]) == ("Words of s_1", "Indeed.")
    assert got.body["ended"]["duration_seconds"] == 12.5
    assert "config_changes" not in got.body


async def test_the_metadata_tells_what_was_recorded(desk: Desk) -> None:
    """Null where nothing was."""
    await desk.had(desk.of_mine("s_2"))
    got = await desk.read((await desk.links("s_1"))["metadata"])
    assert got.body == {
        "session_id": "s_1",
        "started_at": "2026-09-21T14:13:20.500000Z",
        "ended_at": "2026-09-21T14:13:33Z",
        "format": "ogg/opus",
        "channels": 2,
        "channel_layout": "stereo (left=user, right=agent)",
        "sample_rate": 24_000,
        "file": "s_1.ogg",
        "uploaded_chunks": 250,
        "dropped_chunks": 0,
        "duration_seconds": 12.5,
        "incomplete": False,
    }
    got = await desk.read((await desk.links("s_2"))["metadata"])
    body = got.body
    assert body.pop("session_id") == "s_2"
    assert body.pop("started_at") < body.pop("ended_at")
    assert set(body.values()) == {None}


async def test_head_tells_the_length_and_sends_nothing(desk: Desk) -> None:
    """Of everything."""
    for kind, link in (await desk.links("s_1")).items():
        whole = await desk.read(link)
        head = await desk.read(link, method="HEAD")
        assert (head.status, head.raw) == (200, b""), kind
        ignored = {"x-request-id"}
        assert head.headers.keys() == whole.headers.keys()
        assert all(
            head.headers[name] == whole.headers[name] for name in head.headers.keys() - ignored
        )


# --- ranges --------------------------------------------------------------------------------


async def test_a_player_can_seek(desk: Desk) -> None:
    """One range of the audio: from the start, in the middle, to the end, from behind."""
    link = (await desk.links("s_1"))["audio"]
    size = len(AUDIO)
    for asked, start, end in (
        ("bytes=0-3", 0, 4),
        ("bytes=300000-300000", 300_000, 300_001),
        (f"bytes={size - 5}-", size - 5, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=100-{size * 9}", 100, size),
        (f"bytes=-{size * 9}", 0, size),
        ("Bytes=0-0", 0, 1),
    ):
        got = await desk.read(link, ("range", asked))
        assert (got.status, got.raw) == (206, AUDIO[start:end]), asked
        assert got.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert got.headers["content-length"] == str(end - start)


async def test_a_range_behind_the_end_is_416(desk: Desk) -> None:
    """With the size, so that the client can ask again."""
    link = (await desk.links("s_1"))["audio"]
    for asked in (f"bytes={len(AUDIO)}-", "bytes=-0", f"bytes={10**17}-{10**17}"):
        got = await desk.read(link, ("range", asked))
        assert (got.status, got.body["code"]) == (416, "range_not_satisfiable")
        assert got.headers["content-range"] == f"bytes */{len(AUDIO)}"


@pytest.mark.parametrize(
    "headers",
    [
        [("range", "bytes=0-1,3-4")],
        [("range", "bytes=0-1"), ("range", "bytes=3-4")],
        [("range", "bytes=5-4")],
        [("range", "bytes=-")],
        [("range", "bytes=a-b")],
        [("range", "bytes=1")],
        [("range", "items=0-1")],
        [("range", "bytes=0-" + "9" * 5_000)],
        [("range", "bytes=-1-2")],
        [("range", "")],
        [("range", "bytes=0-1"), ("if-range", '"an etag"')],
    ],
    ids=str,
)
async def test_a_range_that_is_not_understood_is_ignored(
    desk: Desk, headers: list[tuple[str, str]]
) -> None:
    """All of it comes, as RFC 9110 has it (sections 14.2 and 13.1.5)."""
    got = await desk.read((await desk.links("s_1"))["audio"], *headers)
    assert (got.status, got.raw) == (200, AUDIO)


async def test_only_the_audio_of_get_has_ranges(desk: Desk) -> None:
    """``HEAD`` and the documents ignore them."""
    links = await desk.links("s_1")
    head = await desk.read(links["audio"], ("range", "bytes=0-1"), method="HEAD")
    assert (head.status, head.headers["content-length"]) == (200, str(len(AUDIO)))
    got = await desk.read(links["timeline"], ("range", "bytes=0-1"))
    assert (got.status, got.body["session_id"]) == (200, "s_1")


@given(
    first=st.integers(0, 40) | st.none(), last=st.integers(0, 40) | st.none(),
    size=st.integers(0, 30),
)  # fmt: skip
def test_a_range_is_what_the_rfc_says(first: int | None, last: int | None, size: int) -> None:
    """Checked against its plain words: the bytes whose positions fit."""
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    positions = range(size)
    if first is None:
        fit = [] if last is None else list(positions)[max(0, size - last) :] if last else []
    else:
        fit = [at for at in positions if at >= first and (last is None or at <= last)]
    is_nonsense = (first is None and last is None) or (
        first is not None and last is not None and last < first
    )
    if is_nonsense:
        assert wanted(header, size) is None
    elif fit:
        assert wanted(header, size) == (fit[0], fit[-1] + 1)
    else:
        with pytest.raises(NoSuchRange):
            wanted(header, size)


@given(st.text(alphabet="bytes=0123456789-, \t"), st.integers(0, 50))
def test_no_range_header_breaks_anything(header: str, size: int) -> None:
    """It is ignored, refused, or lies within what there is."""
    try:
        read = wanted(header, size)
    except NoSuchRange:
        return
    assert read is None or 0 <= read[0] < read[1] <= size


# --- links ---------------------------------------------------------------------------------


async def test_a_link_expires(desk: Desk) -> None:
    """After an hour; a new one is told whenever the session is asked for."""
    link = (await desk.links("s_1"))["audio"]
    desk.clock.now += 3_599
    assert (await desk.read(link)).status == 200
    desk.clock.now += 1
    got = await desk.read(link)
    assert (got.status, got.body["code"]) == (403, "link_expired")
    assert (await desk.read((await desk.links("s_1"))["audio"])).status == 200


async def test_a_link_that_was_changed_is_refused(desk: Desk) -> None:
    """In its session, its kind, its time or its signature; nor does a key replace a signature."""
    await desk.had(Told("s_2", desk.theirs.account, is_recorded=True))
    link = (await desk.links("s_1"))["audio"]
    query = parse_qs(urlsplit(link).query)
    expires, signature = query["expires"][0], query["signature"][0]
    flipped = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    for target in (
        f"/v1/artifacts/s_2/audio?expires={expires}&signature={signature}",
        f"/v1/artifacts/s_1/timeline?expires={expires}&signature={signature}",
        f"/v1/artifacts/s_1/video?expires={expires}&signature={signature}",
        f"/v1/artifacts/s_1/audio?expires={int(expires) + 1}&signature={signature}",
        f"/v1/artifacts/s_1/audio?expires={expires}&signature={flipped}",
        f"/v1/artifacts/s_1/audio?expires={expires}&signature={signature.upper()}",
        f"/v1/artifacts/s_1/audio?expires={expires}",
        f"/v1/artifacts/s_1/audio?signature={signature}",
        "/v1/artifacts/s_1/audio",
        "/v1/artifacts/s_1/audio?expires=&signature=",
    ):
        for headers in ((), (("authorization", desk.mine.key),)):
            got = await desk.read(target, *headers)
            assert (got.status, got.body["code"]) == (403, "link_invalid"), target


async def test_a_refusal_tells_nothing_of_other_sessions(desk: Desk) -> None:
    """A session that is there and one that never was answer a wrong link in the same words."""
    answers = [
        await desk.read(f"/v1/artifacts/{session_id}/audio?expires=1&signature=0")
        for session_id in ("s_1", "s_never")
    ]
    bodies = [answer.body | {"request_id": None} for answer in answers]
    assert bodies[0] == bodies[1]


# --- what can go wrong ---------------------------------------------------------------------


async def test_audio_that_is_not_there_is_404(desk: Desk) -> None:
    """It was not recorded, or somebody took the file away."""
    link = (await desk.links("s_1"))["audio"]
    await desk.artifacts.delete("s_1.ogg")
    got = await desk.read(link)
    assert (got.status, got.body["code"]) == (404, "not_found")


class _Away(Folder):
    """A storage that takes things, and cannot be read."""

    async def open(self, key: str) -> Artifact:
        raise StorageFailed(f"nobody answers for {key}")


async def test_a_storage_that_is_away_is_503(database: Database, tmp_path: Path) -> None:
    """The documents are made from the database, and are there."""
    desk = await Desk(database, tmp_path, _Away(tmp_path / "kept")).open()
    await desk.had(desk.of_mine("s_1", is_recorded=True))
    links = await desk.links("s_1")
    got = await desk.read(links["audio"])
    assert (got.status, got.headers["retry-after"]) == (503, "1")
    assert "nobody answers" not in got.raw.decode()
    assert (await desk.read(links["metadata"])).status == 200


async def test_a_reader_who_leaves_leaves_nothing_open() -> None:
    """The file is closed at once, not when somebody collects the garbage."""
    closed: list[bool] = []

    async def pieces() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append(True)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise ConnectionResetError

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    response = Streamed(pieces(), 200, {"content-length": "9"})
    with pytest.raises(ConnectionResetError):
        await response({"type": "http"}, receive, send)
    assert closed == [True]
