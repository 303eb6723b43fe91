"""An S3 in this process: moto's server, with one bucket, and the vendor's own client of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3  # type: ignore[import-untyped]
import httpx
import pytest
from moto.server import ThreadedMotoServer
from msgspec import Struct

BUCKET = "recordings"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "an-id",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
    "AWS_REGION": "eu-west-1",
}


class S3(Struct):
    """A running S3."""

    endpoint: str
    client: Any
    """boto3's."""

    def keys(self) -> list[str]:
        """All objects of the bucket."""
        return [
            one["Key"] for one in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        ]


@contextmanager
def s3_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """Runs one; the environment leads to it."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    for name, text in {**ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, text)
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="eu-west-1",
        aws_access_key_id="an-id", aws_secret_access_key="a-secret",  # noqa: S106
    )  # fmt: skip
    try:
        # All servers of a process have one memory.
        httpx.post(f"{endpoint}/moto-api/reset").raise_for_status()
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield S3(endpoint, client)
    finally:
        client.close()
        server.stop()
