"""Uploads go on until they succeed, over failures and over restarts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from antiphon_server.store.artifact_folder import Folder
from antiphon_server.store.artifact_s3 import Bucket
from antiphon_server.store.artifact_uploads import Uploads, storage
from antiphon_server.store.artifacts import (
    Artifact,
    BadArtifactsUrl,
    NoSuchArtifact,
    StorageFailed,
)
from s3_server import BUCKET, S3, s3_server
from server.store.artifact_contract import KEY, check_storage, contents, file_of
from virtual_time import in_virtual_time


class Away:
    """A storage that can be reached only while `there` is set; it keeps what it takes."""

    def __init__(self, folder: Path) -> None:
        self.there = asyncio.Event()
        self.tried = asyncio.Event()
        self.attempts: list[float] = []
        self.kept = Folder(folder)

    async def start(self) -> None:
        await self.kept.start()

    async def put(self, file: Path, key: str) -> None:
        self.attempts.append(asyncio.get_running_loop().time())
        self.tried.set()
        self._check()
        await self.kept.put(file, key)

    async def open(self, key: str) -> Artifact:
        self._check()
        return await self.kept.open(key)

    async def delete(self, key: str) -> None:
        self._check()
        await self.kept.delete(key)

    async def link(self, key: str, seconds: int) -> str | None:
        self._check()
        return f"https://storage.example.com/{key}?{seconds}"

    async def close(self) -> None:
        await self.kept.close()

    def _check(self) -> None:
        if not self.there.is_set():
            raise StorageFailed("nobody answers")


async def _until(true: Callable[[], bool]) -> None:
    """In virtual time waiting costs nothing, and what never comes ends the test."""
    while not true():
        await asyncio.sleep(0.1)


@in_virtual_time
async def test_an_upload_is_tried_until_it_succeeds(tmp_path: Path) -> None:
    """After 1, 5, 30, 120 and then every 300 seconds; the recording can be read all the while."""
    away = Away(tmp_path / "kept")
    uploads = Uploads(Folder(tmp_path / "waiting"), away)
    await uploads.start()
    await uploads.put(file_of(tmp_path, b"audio"), KEY)
    await _until(lambda: len(away.attempts) == 7)
    assert await contents(await uploads.open(KEY)) == b"audio"
    assert await uploads.link(KEY, 60) is None
    pauses = [
        later - sooner for sooner, later in zip(away.attempts, away.attempts[1:], strict=False)
    ]
    assert pauses == pytest.approx([1, 5, 30, 120, 300, 300])
    away.there.set()
    await _until(lambda: (tmp_path / "kept" / KEY).exists())
    assert list((tmp_path / "waiting").iterdir()) == []
    assert await contents(await uploads.open(KEY)) == b"audio"
    assert await uploads.link(KEY, 60) == f"https://storage.example.com/{KEY}?60"
    await uploads.close()


@in_virtual_time
async def test_what_a_process_did_not_upload_the_next_one_does(tmp_path: Path) -> None:
    """Whatever became of the first."""
    away = Away(tmp_path / "kept")
    first = Uploads(Folder(tmp_path / "waiting"), away)
    await first.start()
    await first.put(file_of(tmp_path, b"audio"), KEY)
    await away.tried.wait()
    await first.close()
    away.there.set()
    second = Uploads(Folder(tmp_path / "waiting"), away)
    await second.start()
    await _until(lambda: (tmp_path / "kept" / KEY).exists())
    await second.close()


@in_virtual_time
async def test_one_that_is_deleted_while_it_waits_never_arrives(tmp_path: Path) -> None:
    """It is gone at once here; the storage is asked again by whoever deletes."""
    away = Away(tmp_path / "kept")
    uploads = Uploads(Folder(tmp_path / "waiting"), away)
    await uploads.start()
    await uploads.put(file_of(tmp_path, b"audio"), KEY)
    await away.tried.wait()
    with pytest.raises(StorageFailed):
        await uploads.delete(KEY)
    away.there.set()
    await uploads.delete(KEY)
    await uploads.put(file_of(tmp_path, b"other"), "sess_2.ogg")
    await _until(lambda: (tmp_path / "kept" / "sess_2.ogg").exists())
    with pytest.raises(NoSuchArtifact):
        await uploads.open(KEY)
    assert await away.kept.keys() == ["sess_2.ogg"]
    await uploads.close()


@in_virtual_time
async def test_one_that_fails_holds_up_no_other(tmp_path: Path) -> None:
    """It goes behind the others, whatever the failure is."""

    class Odd(Away):
        async def put(self, file: Path, key: str) -> None:
            if key == KEY:
                raise ZeroDivisionError
            await super().put(file, key)

    odd = Odd(tmp_path / "kept")
    odd.there.set()
    uploads = Uploads(Folder(tmp_path / "waiting"), odd)
    await uploads.start()
    await uploads.put(file_of(tmp_path, b"1"), KEY)
    await uploads.put(file_of(tmp_path, b"2"), "sess_2.ogg")
    await _until(lambda: (tmp_path / "kept" / "sess_2.ogg").exists())
    assert (tmp_path / "waiting" / KEY).exists()
    await uploads.close()


@in_virtual_time
async def test_one_that_arrives_between_look_and_read_is_read_there(tmp_path: Path) -> None:
    """Nobody who asks at that moment is told that it is gone."""
    away = Away(tmp_path / "kept")
    uploads = Uploads(Folder(tmp_path / "waiting"), away)
    await uploads.start()
    await uploads.put(file_of(tmp_path, b"audio"), KEY)
    artifact = await uploads.open(KEY)
    away.there.set()
    await _until(lambda: (tmp_path / "kept" / KEY).exists())
    assert await contents(artifact, 1, 4) == b"udi"
    await uploads.close()


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
    uploads = storage(f"s3://{BUCKET}/x", tmp_path / "data", {"AWS_ENDPOINT_URL": s3.endpoint})
    await uploads.start()
    await uploads.put(file_of(tmp_path, b"audio"), KEY)
    waiting = tmp_path / "data" / "waiting" / KEY
    while waiting.exists():  # noqa: ASYNC110 (the upload is the storage's, and tells nobody)
        await asyncio.sleep(0.01)
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
