"""What is committed runs anywhere: it names no machine's folders and no registry."""

import re

from house.layout import ROOT, committed_files

# Written in two parts, so that this file does not contain what it forbids.
FORBIDDEN = [
    "pypi" + r"\.org",
    "pythonhosted" + r"\.org",
    "registry" + r"\.npmjs",
    "deb" + r"\.debian\.org",
    r"(?<![\w.])/wo" + "rk/",
    r"(?<![\w./-])sha" + "red/",
    "/opt/" + "pypi",
    r"\.py" + "env/",
]


def test_no_file_names_a_registry_or_a_folder_of_somebodys_machine() -> None:
    """Where packages come from is the machine's configuration, not ours."""
    pattern = re.compile("|".join(FORBIDDEN).encode())
    found = [
        f"{path}: {match.group().decode()}"
        for path in committed_files()
        if (match := pattern.search((ROOT / path).read_bytes()))
    ]
    assert found == []


def test_no_model_or_recording_is_committed_by_accident() -> None:
    """Models come from pinned packages; a file over a megabyte is not source."""
    large = [str(path) for path in committed_files() if (ROOT / path).stat().st_size > 1_000_000]
    models = [str(path) for path in committed_files() if path.suffix in {".onnx", ".ort", ".gguf"}]
    assert large + models == []
