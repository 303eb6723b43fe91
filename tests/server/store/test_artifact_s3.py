"""A bucket of S3 as a storage, against moto's server; boto3 looks at what came there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from antiphon_server.store.artifact_s3 import Bucket
from antiphon_server.store.artifacts import BadArtifactsUrl, NoSuchArtifact, StorageFailed
from s3_server import BUCKET, S3, s3_server
from server.store.artifact_contract import BYTES, KEY, check_storage, contents, file_of

URL = f"s3://{BUCKET}/calls/2026"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """A running S3."""
    with s3_server(monkeypatch) as running:
        yield running


async def test_a_bucket_keeps_the_contract(s3: S3, tmp_path: Path) -> None:
    """What is put is there whole, for the next process too, until it is deleted."""
    await check_storage(lambda: Bucket(URL, s3.endpoint), tmp_path)
    assert s3.keys() == []


async def test_objects_are_what_the_vendor_says_they_are(s3: S3, tmp_path: Path) -> None:
    """Under the prefix, with a type that a browser saves and plays; larger ones in parts."""
    bucket = Bucket(URL, s3.endpoint)
    large = BYTES * 10
    await bucket.put(file_of(tmp_path, large), KEY)
    assert s3.keys() == [f"calls/2026/{KEY}"]
    there = s3.client.get_object(Bucket=BUCKET, Key=f"calls/2026/{KEY}")
    assert there["Body"].read() == large
    assert there["ContentType"] == "audio/ogg"
    assert there["ContentDisposition"] == "attachment"


async def test_a_bucket_without_prefix_is_used_as_it_is(s3: S3, tmp_path: Path) -> None:
    """Keys lie at its root."""
    await Bucket(f"s3://{BUCKET}", s3.endpoint).put(file_of(tmp_path, b"x"), KEY)
    assert s3.keys() == [KEY]


async def test_a_file_that_was_deleted_during_the_upload_is_deleted_there_too(
    s3: S3, tmp_path: Path
) -> None:
    """Whoever deleted a session meant its audio as well."""

    class _Vanishing(type(tmp_path)):  # type: ignore[misc]
        def unlink(self, *, missing_ok: bool = False) -> None:
            super().unlink()
            super().unlink(missing_ok=missing_ok)

    await Bucket(URL, s3.endpoint).put(_Vanishing(file_of(tmp_path, b"x")), KEY)
    assert s3.keys() == []


async def test_a_link_is_signed_by_the_storage(s3: S3, tmp_path: Path) -> None:
    """Where it is reached over HTTPS; anyone can read the object by it, and no other."""
    await Bucket(URL, s3.endpoint).put(file_of(tmp_path, BYTES), KEY)
    assert await Bucket(URL, s3.endpoint).link(KEY, 60) is None
    public = Bucket(URL, "https://storage.example.com")
    link = await public.link(KEY, 60)
    assert link is not None
    assert "X-Amz-Signature=" in link
    assert "X-Amz-Expires=60" in link
    assert "a-secret" not in link
    async with httpx.AsyncClient() as client:
        assert (await client.get(link)).content == BYTES


async def test_a_storage_that_is_away_is_told(
    s3: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After a few attempts; the file stays."""
    bucket = Bucket(f"s3://{BUCKET}-that-is-not-there", s3.endpoint)
    file = file_of(tmp_path, b"x")
    with pytest.raises(StorageFailed):
        await bucket.put(file, KEY)
    assert file.exists()
    # A port at which nobody listens.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    away = Bucket(URL, "http://127.0.0.1:9")
    for doing in (away.put(file, KEY), away.open(KEY), away.delete(KEY)):
        with pytest.raises(StorageFailed):
            await doing
    assert file.exists()


async def test_an_object_that_vanishes_while_it_is_read_is_told(s3: S3, tmp_path: Path) -> None:
    """Between the look and the read somebody deleted it."""
    bucket = Bucket(URL, s3.endpoint)
    await bucket.put(file_of(tmp_path, b"x"), KEY)
    artifact = await bucket.open(KEY)
    s3.client.delete_object(Bucket=BUCKET, Key=f"calls/2026/{KEY}")
    with pytest.raises(NoSuchArtifact):
        await contents(artifact)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s3://",
        "s3:///prefix",
        "https://bucket/x",
        "bucket",
        "s3://b?x=1",
        "s3://id:key@b/x",
        "ftp://id:key@b",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """At the start, with the form it must have; a credential in it is not repeated."""
    with pytest.raises(BadArtifactsUrl) as refused:
        Bucket(url)
    assert "key@" not in str(refused.value)
