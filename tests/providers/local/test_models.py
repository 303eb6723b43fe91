"""Model files are found and checked before they are loaded."""

from pathlib import Path

import pytest

import model_files
from antiphon_providers.errors import NotInstalled
from antiphon_providers.local import models


@pytest.mark.parametrize("model", [models.SILERO_VAD, models.SMART_TURN])
def test_the_installed_files_are_the_right_ones(model: models.ModelFile) -> None:
    """What the set-up put there is what the providers expect."""
    assert len(models.read(model, provider="test")) > 1_000_000


def test_a_missing_file_is_not_installed_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    """The error names the file and the remedy."""
    with pytest.raises(NotInstalled, match=r"silero_vad\.onnx.*scripts/serve") as error:
        models.read(models.SILERO_VAD, provider="silero", folder=tmp_path)
    assert error.value.provider == "silero"


def test_another_file_is_refused(tmp_path: Path) -> None:
    """A damaged or replaced file is never loaded."""
    (tmp_path / models.SILERO_VAD.name).write_bytes(b"something else")
    with pytest.raises(NotInstalled, match="not the one expected"):
        models.read(models.SILERO_VAD, provider="silero", folder=tmp_path)


def test_the_set_up_places_the_files_that_the_providers_read() -> None:
    """Names, hashes and folder are the same on both sides."""
    placed = {(model.name, model.sha256) for model in model_files.MODEL_FILES}
    assert placed == {(m.name, m.sha256) for m in (models.SILERO_VAD, models.SMART_TURN)}
    assert Path(models.FOLDER).as_posix().endswith(model_files.FOLDER.as_posix())
