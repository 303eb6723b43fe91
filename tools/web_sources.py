"""What the web pages are made from, and whether the ones that were built are of just that.

Standard library only, and little of it: it is asked at each start of the server.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

WEB = Path("server/antiphon_server/console/web")
CLIENT = Path("clients/js")
BUILT = Path("server/antiphon_server/console/built")
LOCK = WEB / "package-lock.json"

_STAMP = "built-from.txt"
_FOLDERS = (WEB, CLIENT / "src", CLIENT / "widget")
_CODE = ("tools/web.py", "tools/web_sources.py")
# What lies beside the sources and does not go into the pages.
_PASSED_OVER = {"node_modules", "tsconfig.json"}


def sources(root: Path) -> Iterator[Path]:
    """Yield the files of the checkout `root` that decide what the pages are, in order."""
    for name in _CODE:
        yield root / name
    for folder in _FOLDERS:
        yield from sorted(_files(root / folder))


def _files(folder: Path) -> Iterator[Path]:
    """Yield every file below `folder`, of which there may be none; node_modules is not entered."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name in _PASSED_OVER:
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def fingerprint(root: Path) -> str:
    """Return a hash of all sources of the checkout `root`, their names included."""
    digest = hashlib.sha256()
    for path in sources(root):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)} {len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def are_built(root: Path) -> bool:
    """Tell whether the pages are built, from the sources as they are now."""
    try:
        return (root / BUILT / _STAMP).read_text("ascii") == fingerprint(root)
    except FileNotFoundError:
        return False


def note(built: Path, mark: str) -> None:
    """Write into the folder `built` which sources it was made from, as `fingerprint` tells."""
    (built / _STAMP).write_text(mark, "ascii")
