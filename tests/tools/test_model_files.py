"""The model files come whole, checked and with their licences, or not at all."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

import model_files
from commands import SetupError
from model_files import FOLDER, MODEL_FILES, extract, fetch, intact, present

ROOT = Path(__file__).resolve().parents[2]
MODEL = replace(
    MODEL_FILES[0], member="maker/data/m.onnx", sha256=hashlib.sha256(b"weights").hexdigest()
)


def wheel_with(folder: Path, members: dict[str, bytes]) -> Path:
    """Return a wheel in `folder` that holds `members`."""
    path = folder / "maker-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_model_and_its_licence_are_taken_out_of_a_wheel(tmp_path: Path) -> None:
    """Both get the names under which they are published; nothing else comes along."""
    licence = "maker-1.0.dist-info/licenses/LICENSE"
    members = {MODEL.member: b"weights", licence: b"MIT", "maker/code.py": b"import torch"}
    extract(MODEL, wheel_with(tmp_path, members), tmp_path / "models")
    found = {path.name: path.read_bytes() for path in (tmp_path / "models").iterdir()}
    assert found == {"silero_vad.onnx": b"weights", "silero_vad.LICENSE.txt": b"MIT"}


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({MODEL.member: b"weights"}, "and one licence"),
        ({"maker-1.0.dist-info/licenses/LICENSE": b"MIT"}, "does not hold"),
        (
            {MODEL.member: b"others", "maker-1.0.dist-info/licenses/LICENSE": b"MIT"},
            "not the file that is pinned",
        ),
    ],
)
def test_a_wheel_that_is_not_as_expected_is_refused(
    tmp_path: Path, members: dict[str, bytes], complaint: str
) -> None:
    """No licence, no model, another model: an error, and nothing is written."""
    with pytest.raises(SetupError, match=complaint):
        extract(MODEL, wheel_with(tmp_path, members), tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_this_checkout_has_the_pinned_models() -> None:
    """The set-up put them in place, and they are the ones whose accuracy was measured."""
    assert intact(ROOT)


def test_models_in_place_are_not_fetched_again() -> None:
    """No interpreter is started: this one could not be."""
    fetch(ROOT, "no-such-python")


def test_a_model_that_was_tampered_with_is_noticed(tmp_path: Path) -> None:
    """Its presence is no proof; its hash is."""
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    assert not present(tmp_path)
    for model in MODEL_FILES:
        (folder / model.name).write_bytes(b"something else")
        (folder / model.licence_name).write_bytes(b"MIT")
    assert present(tmp_path)
    assert not intact(tmp_path)


def test_every_model_has_a_pinned_wheel() -> None:
    """requirements/models.txt has each package, by one version and with hashes."""
    pins = (ROOT / "requirements/models.txt").read_text("utf-8")
    for model in model_files.MODEL_FILES:
        assert f"{model.wheel.replace('_', '-')}==" in pins
    assert pins.count("--hash=sha256:") >= len(MODEL_FILES)
