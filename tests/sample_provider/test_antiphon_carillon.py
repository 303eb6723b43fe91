"""A provider in a package of its own is found by its entry point and keeps to the contract."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from antiphon_providers.contract.text_to_speech import each
from antiphon_providers.errors import Malformed, ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import VoiceOptions
from providers.contract.verdicts import ENVIRONMENT, command, failures
from raw_http import RawServer
from sample_provider.antiphon_carillon import Carillon, CarillonOptions
from sample_provider.bell_tower import bell_tower

HERE = Path(__file__).parent
NOBODY_LISTENS = "http://127.0.0.1:9"


class Done(NamedTuple):
    """What a program printed, and its exit status."""

    status: int
    printed: str


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, installed as its users would."""
    target = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "antiphon_carillon.py"):
        (source / name).write_bytes((HERE / name).read_bytes())
    done = subprocess.run(
        [str(Path(sys.executable).with_name("uv")), "pip", "install", "--offline", "--no-deps",
         "--no-build-isolation", "--python", sys.executable, "--target", str(target), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
async def tower() -> AsyncIterator[RawServer]:
    """The service."""
    async with bell_tower() as server:
        yield server


async def ran(installed: Path, *words: str) -> Done:
    """Runs a program that sees the package, while the service goes on."""
    process = await asyncio.create_subprocess_exec(
        *words,
        env={**os.environ, **ENVIRONMENT, "PYTHONPATH": str(installed)},
        # Not above it: pytest would read what lies in other tests' folders.
        cwd=installed,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return Done(process.returncode, printed.decode())


async def test_it_passes_the_contract_by_its_name_alone(
    installed: Path, tower: RawServer, tmp_path: Path
) -> None:
    """No test is written for it: the plugin makes it from the options of the command line."""
    report, settings = tmp_path / "report.xml", tmp_path / "pytest.ini"
    settings.write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n", "utf-8")
    words = command(
        "-c", str(settings), "--junitxml", str(report), "--pyargs", "antiphon_providers.contract",
        "--antiphon-provider", "text_to_speech:carillon",
        "--antiphon-option", f"url={tower.url}",
        "--antiphon-unreachable", f"url={NOBODY_LISTENS}",
    )  # fmt: skip
    done = await ran(installed, *words)
    assert done.status == 0, done.printed
    passed = failures(report.read_text("utf-8"))["text_to_speech:carillon"]
    assert len(passed) >= 10
    assert "test_fails_with_a_typed_error_where_its_service_is_gone" in passed
    assert {request.path for request in tower.requests} == {"/say"}


async def test_the_command_lists_and_checks_it(installed: Path, tower: RawServer) -> None:
    """`antiphon providers` knows it like one of its own."""
    antiphon = str(Path(sys.executable).with_name("antiphon"))
    listed = await ran(installed, antiphon, "providers", "list")
    assert "carillon             antiphon-carillon" in listed.printed
    words = ["providers", "check", "carillon", "--option"]
    checked = await ran(installed, antiphon, *words, f"url={tower.url}")
    assert checked.status == 0, checked.printed
    assert "works" in checked.printed
    dead = await ran(installed, antiphon, *words, f"url={NOBODY_LISTENS}")
    assert dead.status == 1
    assert "failed: Carillon: ConnectError" in dead.printed


@pytest.mark.parametrize(
    ("url", "voice", "text", "error"),
    [
        (str, "nobody", "Hello.", Refused),
        (str, "anna", "odd", Malformed),
        (lambda _: NOBODY_LISTENS, "anna", "Hello.", Unavailable),
    ],
)
async def test_its_failures_are_ours(
    tower: RawServer,
    url: Callable[[str], str],
    voice: str,
    text: str,
    error: type[ProviderError],
) -> None:
    """A voice that nobody has, half a sample, and a service that is not there."""
    provider = Carillon(CarillonOptions(url(tower.url)))
    await provider.start()
    with pytest.raises(error):
        async for _ in provider.speak(each(text), VoiceOptions(voice)):
            pass
    await provider.close()


def test_it_is_as_long_as_a_provider_has_to_be() -> None:
    """About forty lines: empty ones and docstrings do not count."""
    program = (HERE / "antiphon_carillon.py").read_text("utf-8").splitlines()
    assert len([line for line in program if line.strip() and '"""' not in line]) <= 45
