"""Who looks for the tests of a module, or for what a test tests, finds it by the path alone."""

from pathlib import Path

from house.layout import MIRROR, python_files, says_something

# Folders of tests that are about no single module, and why.
UNMIRRORED = {
    Path("tests/house"): "the house itself",
    Path("tests/browser"): "the web pages in a real browser",
    Path("tests/end_to_end"): "whole calls through a running server",
    Path("tests/longer"): "servers that have to be compiled; run by scripts/test-longer",
    Path("tests/deploy"): "what operators watch it with",
    Path("tests/conformance"): "any server of this API, from outside",
    Path("tests/contracts"): "what every provider of a kind must do",
    Path("tests/endurance"): "a real server, its sockets cut and its process killed",
    Path("tests/simulation"): "whole calls in virtual time",
}


def _modules() -> dict[Path, str]:
    """Return the folder of tests and the name for each module that needs a test."""
    found: dict[Path, str] = {}
    for source, tests in MIRROR.items():
        for path in python_files(source):
            name = path.parent.name if path.stem == "__init__" else path.stem.strip("_")
            if path.stem != "__init__" or says_something(path):
                found[path] = str(Path(tests) / path.parent.relative_to(source) / f"test_{name}")
    return found


def test_every_module_has_its_own_test_module() -> None:
    """server/antiphon_server/call/ears.py is tested in tests/server/call/test_ears.py.

    A large module may be tested in several: test_ears.py or test_ears_at_8_khz.py and so on.
    """
    tests = [str(path.with_suffix("")) for path in python_files("tests")]
    untested = [
        str(module)
        for module, expected in _modules().items()
        if not any(test == expected or test.startswith(f"{expected}_") for test in tests)
    ]
    assert untested == []


def test_every_test_module_is_about_a_module() -> None:
    """A test that lies elsewhere is not found; one of a module that is gone tests nothing."""
    expected = list(_modules().values())
    helpers = [str(path.parent / f"test_{path.stem}") for path in python_files("tests")]
    astray = [
        str(path)
        for path in python_files("tests")
        if path.name.startswith("test_")
        and not any(path.is_relative_to(folder) for folder in UNMIRRORED)
        and not any(
            str(path.with_suffix("")) == name or str(path.with_suffix("")).startswith(f"{name}_")
            for name in expected + helpers
        )
    ]
    assert astray == []
