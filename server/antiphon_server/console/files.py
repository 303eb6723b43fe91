"""Files that are read once and answered from memory: by name, so that no path leads elsewhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from msgspec import Struct
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_PACKED = ".gz"
_WEIGHT = re.compile(r"q=(0|0\.0{1,3})", re.ASCII)


class Content(Struct, frozen=True):
    """What a file holds, and the same compressed: None where that gains nothing."""

    plain: bytes
    packed: bytes | None = None


class File:
    """One file and its headers, ready to be answered."""

    def __init__(self, content: Content, headers: Mapping[str, str]) -> None:
        self.content = content
        varies = [headers["vary"]] if "vary" in headers else []
        if content.packed is not None:
            varies.append("accept-encoding")
        vary = {"vary": ", ".join(varies)} if varies else {}
        self._plain = {**headers, **vary, "etag": _tag(content.plain)}
        self._packed = self._plain | {"etag": _tag(content.packed or b"")}

    def answer(self, request: Request, status: int = 200) -> Response:
        """The file, whole or compressed as the client takes it; 304 if it has this one already.

        Source: RFC 9110, sections 8.8.3, 12.5.3 and 13.1.2.
        """
        body, headers, coding = self.content.plain, self._plain, {}
        if self.content.packed is not None and takes_gzip(request.headers):
            coding = {"content-encoding": "gzip"}
            body, headers = self.content.packed, self._packed
        if status == HTTPStatus.OK and _has(request.headers, headers["etag"]):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        length = {"content-length": str(len(body))}
        is_asked_for = request.method != "HEAD"
        return Response(body if is_asked_for else b"", status, {**headers, **coding, **length})


def read(folder: Path) -> dict[str, Content]:
    """Every file below ``folder`` by its path there, with its compressed form beside it.

    A kind of file that is not known is left out, and of a folder that is not there is nothing.
    Raises ``OSError``.
    """
    found: dict[str, Content] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in _TYPES and path.is_file():
            packed = path.with_name(path.name + _PACKED)
            name = path.relative_to(folder).as_posix()
            compressed = packed.read_bytes() if packed.is_file() else None
            found[name] = Content(path.read_bytes(), compressed)
    return found


def media_type(name: str) -> str:
    """What a file is, by its name."""
    return _TYPES[Path(name).suffix]


def takes_gzip(headers: Headers) -> bool:
    """Whether a client takes gzip; one that does not say takes nothing."""
    weights: dict[str, bool] = {}
    for part in ",".join(headers.getlist("accept-encoding")).lower().split(","):
        name, _, weight = part.partition(";")
        weights[name.strip()] = _WEIGHT.fullmatch(weight.strip()) is None
    return weights.get("gzip", weights.get("*", False))


def _has(headers: Headers, tag: str) -> bool:
    """Whether ``If-None-Match`` names a tag; compared weakly, as it must be."""
    given = ",".join(headers.getlist("if-none-match")).split(",")
    return any(one.strip().removeprefix("W/") in {tag, "*"} for one in given)


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:24]}"'
