"""Variables from a file: how they are written, and which win."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon_server.env_file import MOST_BYTES, VARIABLE, Environment
from antiphon_server.settings import SettingsError

SECRET = "a-secret-value"  # noqa: S105


def written(folder: Path, text: str | bytes) -> str:
    """A file with this in it."""
    path = folder / "antiphon.env"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_a_file_is_lines_of_name_and_value(tmp_path: Path) -> None:
    """With comments, quotes and what shells write; nothing is expanded."""
    path = written(
        tmp_path,
        "\ufeff# who serves\n\nANTIPHON_LLM=openai\r\n  ANTIPHON_STT = deepgram \n"
        "export ANTIPHON_TTS='local'\nA=\"b # c\"\nEMPTY=\nURL=http://x/?a=b\nMONEY=$HOME\n",
    )
    assert Environment({}, path).read() == {
        "ANTIPHON_LLM": "openai",
        "ANTIPHON_STT": "deepgram",
        "ANTIPHON_TTS": "local",
        "A": "b # c",
        "EMPTY": "",
        "URL": "http://x/?a=b",
        "MONEY": "$HOME",
        VARIABLE: path,
    }


def test_the_file_wins_over_the_environment(tmp_path: Path) -> None:
    """It is what can be changed while the server runs."""
    path = written(tmp_path, "ANTIPHON_LLM=openai")
    process = {"ANTIPHON_LLM": "dialogue", "ANTIPHON_TTS": "local", VARIABLE: path}
    found = Environment(process).read()
    assert found == {"ANTIPHON_LLM": "openai", "ANTIPHON_TTS": "local", VARIABLE: path}


def test_without_a_file_the_environment_is_all(tmp_path: Path) -> None:
    """The option names another file than the variable."""
    assert Environment({"ANTIPHON_LLM": "dialogue"}).read() == {"ANTIPHON_LLM": "dialogue"}
    path = written(tmp_path, "A=1")
    assert Environment({VARIABLE: "/nowhere"}, path).read()["A"] == "1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"A=1\n{SECRET}\n", "line 2 of .*antiphon.env is not NAME=value"),
        (f"1A={SECRET}", "line 1 of .* is not NAME=value"),
        (f"={SECRET}", "is not NAME=value"),
        (f"A B={SECRET}", "is not NAME=value"),
        (f"A='{SECRET}", "begins with a quote that does not end"),
        ('A="', "begins with a quote that does not end"),
        (f"A={SECRET}\0", "has a NUL in it"),
        (b"A=\xff\xfe", "is no text in UTF-8"),
        (b"A=" + b"x" * MOST_BYTES, "has more than"),
        ("ANTIPHON_ENV_FILE=other", "cannot name another file"),
    ],
)
def test_a_file_that_cannot_be_is_refused(tmp_path: Path, text: str | bytes, words: str) -> None:
    """With the line, and never with what stands there."""
    with pytest.raises(SettingsError, match=words) as refused:
        Environment({}, written(tmp_path, text)).read()
    assert SECRET not in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Because it is not there, or is a folder."""
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(SettingsError, match="cannot be read"):
            Environment({}, str(path)).read()


def test_what_is_no_setting_is_put_where_its_readers_look(tmp_path: Path) -> None:
    """A vendor's key: in the process, until the file says otherwise; settings are not."""
    process = {"HOME": "/root", "ANTIPHON_LLM": "dialogue", "VENDOR_KEY": "old"}
    path = written(tmp_path, f"VENDOR_KEY={SECRET}\nOTHER_KEY=1\nANTIPHON_TTS=local\n")
    environment = Environment(process, path)
    environment.use(environment.read())
    used = {"HOME": "/root", "ANTIPHON_LLM": "dialogue", "VENDOR_KEY": SECRET, "OTHER_KEY": "1"}
    assert process == used
    written(tmp_path, "")
    undo = environment.use(environment.read())
    assert process == {"HOME": "/root", "ANTIPHON_LLM": "dialogue", "VENDOR_KEY": "old"}
    undo()
    assert process == used
