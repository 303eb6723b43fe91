"""The front door: which commands there are and what becomes of them."""

import argparse
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from antiphon.cli import GROUP, Command, load, main
from antiphon.talk import talk
from antiphon_protocol import __version__


class Greet:
    """A command of a test."""

    help = "greet somebody"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Takes a name and an exit code."""
        parser.add_argument("name")
        parser.add_argument("--code", type=int, default=0)

    def run(self, options: argparse.Namespace) -> int:
        """Greets."""
        sys.stdout.write(f"hello {options.name}\n")
        return int(options.code)


greet = Greet()


def _entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


@pytest.fixture
def entries() -> list[EntryPoint]:
    """One command that is there, and two whose packages are not."""
    return [
        _entry("greet", f"{__name__}:greet"),
        _entry("fly", "antiphon_server.no_such_module:fly"),
        _entry("swim", "no_such_package.here:swim"),
    ]


def test_a_command_is_given_its_options_and_gives_the_exit_code(
    entries: list[EntryPoint], capsys: pytest.CaptureFixture[str]
) -> None:
    """What it returns is what the process ends with."""
    assert main(["greet", "Ada", "--code", "7"], entries) == 7
    assert capsys.readouterr().out == "hello Ada\n"


@pytest.mark.parametrize(
    ("command", "install"),
    [("fly", "pip install 'antiphon[server]'"), ("swim", "pip install no_such_package")],
)
@pytest.mark.parametrize("more", [[], ["--help"], ["x", "--port", "1"]])
def test_a_command_whose_package_is_missing_says_what_to_install(
    entries: list[EntryPoint],
    capsys: pytest.CaptureFixture[str],
    command: str,
    install: str,
    more: list[str],
) -> None:
    """Whatever else was typed."""
    assert main([command, *more], entries) == 1
    said = capsys.readouterr().err
    assert install in said
    assert f"antiphon {command} needs packages that are not installed" in said


def test_help_lists_every_command_also_the_missing(
    entries: list[EntryPoint], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"], entries)
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "greet somebody" in said
    assert "not installed: pip install 'antiphon[server]'" in said


def test_no_command_shows_the_help_and_fails(
    entries: list[EntryPoint], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, as for any wrong use."""
    assert main([], entries) == 2
    assert "greet somebody" in capsys.readouterr().err


def test_an_unknown_command_names_the_known_ones(
    entries: list[EntryPoint], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(["dance"], entries)
    assert ended.value.code == 2
    assert "greet" in capsys.readouterr().err


def test_the_version_is_the_packages(
    entries: list[EntryPoint], capsys: pytest.CaptureFixture[str]
) -> None:
    """One version for everything."""
    with pytest.raises(SystemExit):
        main(["--version"], entries)
    assert capsys.readouterr().out == f"antiphon {__version__}\n"


def test_only_the_command_that_is_meant_is_imported(entries: list[EntryPoint]) -> None:
    """The server takes its time; a broken neighbour does no harm."""
    broken = _entry("broken", f"{__name__}:no_such_name")
    assert main(["greet", "Ada"], [*entries, broken]) == 0
    with pytest.raises(AttributeError):
        main([], [*entries, broken])


def test_what_is_no_command_is_refused() -> None:
    """A package's mistake is named."""
    with pytest.raises(TypeError, match="is not a command"):
        load(_entry("version", "antiphon_protocol:__version__"))


def test_talk_is_installed_under_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The entry point of the distribution leads to it."""
    assert isinstance(talk, Command)
    with pytest.raises(SystemExit) as ended:
        main(["talk", "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "exit codes:" in said
    assert "Talk to a server" in said


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    """As in ``antiphon talk | head``: no traceback, and not success."""
    command = [sys.executable, "-c", _SAYS_TOO_MUCH]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


_SAYS_TOO_MUCH = """
import sys
from importlib.metadata import EntryPoint
from antiphon import cli

class Endless:
    help = "Say too much."

    def add_arguments(self, parser): ...

    def run(self, options):
        while True:
            print("and another thing")

sys.modules["endless"] = type(sys)("endless")
sys.modules["endless"].command = Endless()
sys.exit(cli.main(["endless"], [EntryPoint("endless", "endless:command", cli.GROUP)]))
"""
