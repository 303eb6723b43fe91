"""Tests run JavaScript with the Node that came as a wheel."""

import json
import subprocess

import pytest

from node_tools import NODE, NODE_MODULES, NODE_ROOT, NPM, tool


def test_node_runs_without_one_on_the_machine() -> None:
    """It is a pinned dependency, so its version is the same everywhere."""
    done = subprocess.run([NODE, "-p", "6 * 7"], check=True, capture_output=True, text=True)
    assert done.stdout == "42\n"


def test_npm_runs_with_that_node() -> None:
    """Its own version is the answer, so no registry is asked."""
    done = subprocess.run([*NPM, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout[0].isdigit()


def test_every_pinned_package_is_installed_as_pinned() -> None:
    """The set-up of the tests did it, from the lock."""
    wanted = json.loads((NODE_ROOT / "package.json").read_text("utf-8"))["devDependencies"]
    found = {
        name: json.loads((NODE_MODULES / name / "package.json").read_text("utf-8"))["version"]
        for name in wanted
    }
    assert found == wanted


def test_a_tool_runs_by_its_name() -> None:
    """TypeScript's package has another name than its command."""
    command = tool("tsc", package="typescript")
    done = subprocess.run([*command, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("Version ")


def test_a_tool_that_is_not_there_is_an_error() -> None:
    """An unknown package and an unknown command of a known one."""
    with pytest.raises(FileNotFoundError):
        tool("no-such-tool")
    with pytest.raises(KeyError):
        tool("no-such-command", package="typescript")
