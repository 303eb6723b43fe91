"""What README and docs say is so: programs run, links lead somewhere, options and names exist."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import antiphon as sdk
from aimock import KEY, aimock, fixture
from antiphon.sound import first_audible
from antiphon.wav import read_wav
from antiphon_protocol.audio import PCM
from antiphon_providers import registry
from antiphon_providers.resilience.policy import Policy
from antiphon_server.observe import metrics
from antiphon_server.settings import OTHER_VARIABLES, POLICY, ROUTE, STAGE_OPTIONS, Settings
from antiphon_server.stages.route import NUMBERS
from end_to_end.product import LOADTEST, antiphon, run, running
from hostile.serving import Server, environment

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
OWN_PROVIDER = (ROOT / "docs/how-to/bring-your-own-provider.md").read_text("utf-8")
PAGES = sorted(
    path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)
PACKAGES = "server|protocol|providers|loadtest|llama"
SERIES = r"_(bucket|count|sum|total)$"
"""What Prometheus adds to a metric's name."""

LOCAL = "ws://127.0.0.1:8400"
PLUGINS = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_asyncio.plugin,antiphon_providers.contract.plugin",
}
"""What a project has that has no other plugin installed."""


def blocks(page: str, language: str) -> list[str]:
    """The blocks of code of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def commands(page: str) -> Iterator[str]:
    """What a page has in code, line by line."""
    for block in re.findall(r"^```\w*\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", page)
    yield from re.findall(r"^    (.+)", page, re.MULTILINE)


def test_the_python_client_of_the_readme_works(server: Server, tmp_path: Path) -> None:
    """As it stands; only the address is changed. The greeting is printed and recorded."""
    (program,) = blocks(README, "python")
    script = tmp_path / "client.py"
    script.write_text(program.replace(LOCAL, server.ws), "utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment(str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "agent: Blue Door Hotel, this is Ada.\n"
    pcm = read_wav(tmp_path / "reply.wav", PCM.rate)
    assert PCM.ms(len(pcm)) > 500
    assert first_audible(pcm) is not None


def test_the_two_commands_are_there_and_can_be_run() -> None:
    """The README's first lines."""
    for name in ("serve", "test"):
        assert f"./scripts/{name}" in README
        script = ROOT / "scripts" / name
        assert script.stat().st_mode & 0o111
        assert script.read_text("utf-8").startswith("#!/bin/sh\n")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    """Links within the repository, pictures included."""
    text = re.sub(
        r"^```.*?^```", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        if heading:
            assert heading in headings(target.read_text("utf-8")), link


def headings(page: str) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@cache
def help_of(command: str) -> str:
    """What ``--help`` of a command prints."""
    words = command.split()
    done = run(*LOADTEST, *words[1:], "--help") if words[0] == "bench" else (
        antiphon(*words, "--help")
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


COMMANDS = {
    r"\bantiphon (serve|talk)\b": "{}",
    r"\./scripts/(serve)\b": "{}",
    r"(?:\./scripts/bench|-m antiphon_loadtest) (response|callers|barge-in|openings)\b": "bench {}",
}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_option_in_the_pages_exists(page: Path) -> None:
    """Wherever a command of ours is shown with an option, its help has that option."""
    for line in commands((ROOT / page).read_text("utf-8")):
        for pattern, command in COMMANDS.items():
            if found := re.search(pattern, line):
                rest = line[found.end() :].partition("#")[0]
                for option in re.findall(r"(?<=\s)--[a-z][\w-]*", rest):
                    assert option in help_of(command.format(found[1])), line


def is_a_setting(variable: str) -> bool:
    """Whether the server, or another part of the project, reads it."""
    name = variable.removeprefix("ANTIPHON_").lower()
    stage, _, option = name.partition("_")
    if variable in OTHER_VARIABLES or name in Settings.__struct_fields__:
        return True
    if stage == POLICY:
        return option in Policy.__struct_fields__
    if stage == ROUTE:
        known, _, of_small = option.partition("_")
        if known == "small" and of_small:
            return is_a_setting(f"ANTIPHON_LLM_{of_small.upper()}")
        return option in {*NUMBERS, "rules", "small"}
    return stage in STAGE_OPTIONS and (
        not option
        or any(
            option in registry.options_of(entry.load()).__struct_fields__
            for entry in registry.installed(STAGE_OPTIONS[stage]).values()
        )
    )


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_setting_and_metric_in_the_pages_exists(page: Path) -> None:
    """By name; a histogram's series count as it."""
    text = (ROOT / page).read_text("utf-8")
    for variable in re.findall(r"\bANTIPHON_[A-Z_]+[A-Z]\b", text):
        assert is_a_setting(variable), variable
    families = {metric.name for metric in metrics.REGISTRY.collect()}
    for name in re.findall(rf"\bantiphon_(?!{PACKAGES})[a-z_]+\b", text):
        assert name in families or re.sub(SERIES, "", name) in families, name


@pytest.fixture
def own_provider(tmp_path: Path) -> Path:
    """The how-to's two files, installed as it says, into a folder of their own."""
    project, target = tmp_path / "antiphon-llama", tmp_path / "installed"
    project.mkdir()
    (description,), (program,) = blocks(OWN_PROVIDER, "toml"), blocks(OWN_PROVIDER, "python")
    (project / "pyproject.toml").write_text(description, "utf-8")
    (project / "antiphon_llama.py").write_text(program, "utf-8")
    done = run(
        str(Path(sys.executable).with_name("uv")), "pip", "install", "--offline", "--no-deps",
        "--no-build-isolation", "--python", sys.executable, "--target", str(target), str(project),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


async def test_the_provider_of_the_how_to_works(own_provider: Path, tmp_path: Path) -> None:
    """The server finds it by name, and a caller hears what its model says; what the model
    refuses is told to the client as this reply's error.
    """
    answer = fixture("tell me", {"content": "The museum opens at nine."})
    async with aimock(tmp_path, answer) as url:
        with running(
            tmp_path / "log", "--llm", "llama",
            PYTHONPATH=str(own_provider),
            ANTIPHON_LLM_MODEL="llama3.2", ANTIPHON_LLM_URL=url, ANTIPHON_LLM_KEY=KEY,
        ) as server:  # fmt: skip
            assert "→ llama →" in server.banner
            said, failures = await asyncio.gather(
                ask(server, "tell me, please"), ask(server, "nothing it knows")
            )
    assert said[0].text == "The museum opens at nine."  # type: ignore[union-attr]
    assert isinstance(failures[0], sdk.ReplyError)
    assert failures[0].code == "llm_provider_error"
    assert "No fixture matched" in failures[0].message


async def test_the_provider_of_the_how_to_is_checked_as_it_says(
    own_provider: Path, tmp_path: Path
) -> None:
    """The page's commands and its test module pass; only the service's address is added."""
    (module,) = blocks(OWN_PROVIDER, "py")
    told = "\n".join(blocks(OWN_PROVIDER, "sh")).replace("\\\n", " ")
    wanted = [line for line in told.splitlines() if "check llama" in line or "--pyargs" in line]
    answers = [fixture(words, {"content": "I am a museum."}) for words in ("Hello", "kettle")]
    async with aimock(tmp_path, *answers) as url:
        options = [f"url={url}", f"key={KEY}"]
        given = f'model="llama3.2", url="{url}", key="{KEY}"'
        own_test = tmp_path / "test_llama.py"
        own_test.write_text(module.replace('model="llama3.2"', given), "utf-8")
        check, contract = (
            [str(Path(sys.executable).parent / Path(words[0]).name), *words[1:]]
            for words in map(shlex.split, wanted)
        )
        for option in options:
            check += ["--option", option]
            contract += ["--antiphon-option", option]
        for command in (check, contract, [sys.executable, "-m", "pytest", str(own_test)]):
            await passes(own_provider, tmp_path, command)


async def passes(own_provider: Path, folder: Path, command: list[str]) -> None:
    """Sees that a command succeeds where the provider is installed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, **PLUGINS, "PYTHONPATH": str(own_provider)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()


async def ask(server: Server, words: str) -> list[sdk.AgentTranscript | sdk.ReplyError]:
    """What one reply to these words says."""
    heard: list[sdk.AgentTranscript | sdk.ReplyError] = []
    async with sdk.connect(server.ws) as call:
        await call.add_message("user", words)
        await call.create_reply()
        async for event in call:
            if isinstance(event, sdk.AgentTranscript | sdk.ReplyError):
                heard.append(event)
            if isinstance(event, sdk.ReplyDone):
                break
    return heard


def test_the_provider_of_the_how_to_is_as_long_as_it_says() -> None:
    """Forty lines, not counting empty ones."""
    (program,) = blocks(OWN_PROVIDER, "python")
    assert "forty lines" in OWN_PROVIDER
    assert len([line for line in program.splitlines() if line.strip()]) <= 40
