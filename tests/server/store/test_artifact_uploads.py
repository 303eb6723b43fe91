"""Uploads go on until they succeed, over failures and over restarts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.artifact_s3 import Bucket
from antiphon_server.store.artifact_uploads import Uploads, storage
from antiphon_server.store.artifacts import (
    Artifact,
    Artifacts,
    BadArtifactsUrl,
    NoSuchArtifact,
    StorageFailed,
)
from s3_server import BUCKET, S3, s3_server
from server.store.artifact_contract import KEY, check_storage, contents, file_of
from virtual_time import in_virtual_time


class Away:
    """A storage that can be reached only while `there` is set; it tells who came."""

    def __init__(self, kept: Artifacts) -> None:
        self.kept = kept
        self.there = asyncio.Event()
        self.attempts: asyncio.Queue[float] = asyncio.Queue()
        """When each upload was tried."""
        self.arrived: asyncio.Queue[str] = asyncio.Queue()
        """The keys of those that succeeded."""

    async def start(self) -> None:
        """Always."""
        await self.kept.start()

    async def put(self, file: Path, key: str) -> None:
        """Takes a file, where it can be reached."""
        self.attempts.put_nowait(asyncio.get_running_loop().time())
        self._check()
        await self.kept.put(file, key)
        self.arrived.put_nowait(key)

    async def open(self, key: str) -> Artifact:
        """Finds one, where it can be reached."""
        self._check()
        return await self.kept.open(key)

    async def delete(self, key: str) -> None:
        """Deletes one, where it can be reached."""
        self._check()
        await self.kept.delete(key)

    async def link(self, key: str, seconds: int) -> str | None:
        """One that says what was asked."""
        self._check()
        return f"https://storage.example.com/{key}?{seconds}"

    async def close(self) -> None:
        """Always."""
        await self.kept.close()

    def _check(self) -> None:
        if not self.there.is_set():
            raise StorageFailed("nobody answers")


@pytest.fixture
def kept(tmp_path: Path) -> Folder:
    """Where the uploads end."""
    return Folder(tmp_path / "kept")


@in_virtual_time
async def test_an_upload_is_tried_until_it_succeeds(tmp_path: Path, kept: Folder) -> None:
    """After 1, 5, 30, 120 and then every 300 seconds; the recording can be read all the while."""
    away = Away(kept)
    uploads = Uploads(Folder(tmp_path / "waiting"), away)
    await uploads.start()
    await uploads.put(file_of(tmp_path, b"audio"), KEY)
    attempts = [await away.attempts.get() for _ in range(7)]
    assert await contents(await uploads.open(KEY)) == b"audio"
    assert await uploads.link(KEY, 60) is None
    pauses = [later - sooner for sooner, later in pairwise(attempts)]
    assert pauses == pytest.approx([1, 5, 30, 120, 300, 300])
    away.there.set()
    assert await away.arrived.get() == KEY
    assert list((tmp_path / "waiting").iterdir()) == []
    assert await contents(await uploads.open(KEY)) == b"audio"
    assert await uploads.link(KEY, 60) == f"https://storage.example.com/{KEY}?60"
    await uploads.close()


@in_virtual_time
async def test_what_a_process_did_not_upload_the_next_one_does(
    tmp_path: Path, kept: Folder
) -> None:
    """Whatever became of the first."""
    away = Away(kept)
    first = Uploads(Folder(tmp_path / "waiting"), away)
    await first.start()
    await first.put(file_of(tmp_path, b"audio"), KEY)
    await away.attempts.get()
    await first.close()
    away.there.set()
    second = Uploads(Folder(tmp_path / "waiting"), away)
    await second.start()
    assert await away.arrived.get() == KEY
    await second.close()


@in_virtual_time
async def test_one_that_is_deleted_while_it_waits_never_arrives(
    tmp_path: Path, kept: Folder
) -> None:
    """It is gone at once here; the storage is asked again by whoever deletes."""
    away = Away(kept)
    uploads = Uploads(Folder(tmp_path / "waiting"), away)
    await uploads.start()
    await uploads.put(file_of(tmp_path, b"audio"), KEY)
    await away.attempts.get()
    with pytest.raises(StorageFailed):
        await uploads.delete(KEY)
    away.there.set()
    await uploads.delete(KEY)
    await uploads.put(file_of(tmp_path, b"other"), "sess_2.ogg")
    assert await away.arrived.get() == "sess_2.ogg"
    with pytest.raises(NoSuchArtifact):
        await uploads.open(KEY)
    assert await kept.keys() == ["sess_2.ogg"]
    await uploads.close()


@in_virtual_time
async def test_one_that_fails_holds_up_no_other(tmp_path: Path, kept: Folder) -> None:
    """It goes behind the others, whatever the failure is."""

    class Odd(Away):
        async def put(self, file: Path, key: str) -> None:
            if key == KEY:
                raise ZeroDivisionError
            await super().put(file, key)

    odd = Odd(kept)
    odd.there.set()
    uploads = Uploads(Folder(tmp_path / "waiting"), odd)
    await uploads.start()
    await uploads.put(file_of(tmp_path, b"1"), KEY)
    await uploads.put(file_of(tmp_path, b"2"), "sess_2.ogg")
    assert await odd.arrived.get() == "sess_2.ogg"
    assert (tmp_path / "waiting" / KEY).exists()
    await uploads.close()


@in_virtual_time
async def test_one_that_arrives_between_look_and_read_is_read_there(
    tmp_path: Path, kept: Folder
) -> None:
    """Nobody who asks at that moment is told that it is gone."""
    away = Away(kept)
    uploads = Uploads(Folder(tmp_path / "waiting"), away)
    await uploads.start()
    await uploads.put(file_of(tmp_path, b"audio"), KEY)
    artifact = await uploads.open(KEY)
    away.there.set()
    assert await away.arrived.get() == KEY
    assert await contents(artifact, 1, 4) == b"udi"
    await uploads.close()


class Slow(Away):
    """A storage at which a file arrives only when it may, and stays."""

    def __init__(self, kept: Artifacts) -> None:
        super().__init__(kept)
        self.there.set()
        self.begun, self.may_arrive = asyncio.Event(), asyncio.Event()

    async def put(self, file: Path, key: str) -> None:
        """Has read the file when it waits."""
        audio = await asyncio.to_thread(file.read_bytes)
        self.begun.set()
        await self.may_arrive.wait()
        copy = file.with_name("copy")
        await asyncio.to_thread(copy.write_bytes, audio)
        await self.kept.put(copy, key)
        self.arrived.put_nowait(key)


async def test_what_is_deleted_while_it_is_uploaded_is_gone(tmp_path: Path, kept: Folder) -> None:
    """Whoever was told that it is deleted never finds it again."""
    slow = Slow(kept)
    uploads = Uploads(Folder(tmp_path / "waiting"), slow)
    await uploads.start()
    await uploads.put(file_of(tmp_path, b"audio"), KEY)
    await slow.begun.wait()
    deleting = asyncio.create_task(uploads.delete(KEY))
    # One that does not wait for the upload is over by then.
    await asyncio.wait({deleting}, timeout=0.2)
    slow.may_arrive.set()
    await asyncio.gather(deleting, slow.arrived.get())
    with pytest.raises(NoSuchArtifact):
        await uploads.open(KEY)
    await uploads.close()
    with pytest.raises(NoSuchArtifact):
        await kept.open(KEY)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """A running S3."""
    with s3_server(monkeypatch) as running:
        yield running


async def test_a_bucket_behind_a_folder_keeps_the_contract(s3: S3, tmp_path: Path) -> None:
    """As the settings make it: read from the folder first, from the bucket later."""
    await check_storage(lambda: storage(f"s3://{BUCKET}/x", tmp_path / "data"), tmp_path)
    assert s3.keys() == []


async def test_a_recording_arrives_in_the_bucket(s3: S3, tmp_path: Path) -> None:
    """And is gone from this machine."""
    bucket = Away(Bucket(f"s3://{BUCKET}/x", s3.endpoint))
    bucket.there.set()
    uploads = Uploads(Folder(tmp_path / "waiting"), bucket)
    await uploads.start()
    await uploads.put(file_of(tmp_path, b"audio"), KEY)
    assert await bucket.arrived.get() == KEY
    assert list((tmp_path / "waiting").iterdir()) == []
    assert s3.keys() == [f"x/{KEY}"]
    assert await contents(await uploads.open(KEY)) == b"audio"
    await uploads.close()


def test_the_setting_chooses_the_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing: a folder. S3: a bucket, if its package is installed. Else: what to write."""
    assert isinstance(storage("", tmp_path), Folder)
    assert isinstance(storage("s3://b/p", tmp_path, {})._kept, Bucket)  # type: ignore[attr-defined]
    with pytest.raises(BadArtifactsUrl, match="s3://bucket/prefix"):
        storage("gs://b/p", tmp_path)
    monkeypatch.setitem(sys.modules, "antiphon_server.store.artifact_s3", None)
    with pytest.raises(BadArtifactsUrl, match=r"antiphon\[s3\]"):
        storage("s3://b/p", tmp_path)
