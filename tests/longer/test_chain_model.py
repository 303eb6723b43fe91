"""The model file's sentence has to be one that a chain can say."""

import subprocess
from pathlib import Path

from longer.environment import PYTHON

WRITER = Path(__file__).with_name("chain_model.py")


def _written(path: Path, sentence: str) -> subprocess.CompletedProcess[str]:
    """The writer, run where `gguf` is installed."""
    command = [str(PYTHON), str(WRITER), str(path), sentence]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_same_sentence_makes_the_same_file(tmp_path: Path) -> None:
    """Of less than a megabyte, in the format that llama.cpp reads."""
    files = [tmp_path / "one.gguf", tmp_path / "two.gguf"]
    assert [_written(file, "Good day.").stderr for file in files] == ["", ""]
    first, second = (file.read_bytes() for file in files)
    assert first == second
    assert first.startswith(b"GGUF")
    assert len(first) < 1_000_000


def test_a_word_that_occurs_twice_is_an_error(tmp_path: Path) -> None:
    """After it, the chain would not know where it is."""
    done = _written(tmp_path / "chain.gguf", "Yes or no or maybe")
    assert done.returncode != 0
    assert "occurs twice" in done.stderr
    assert not (tmp_path / "chain.gguf").exists()
