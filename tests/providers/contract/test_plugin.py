"""The contracts run against providers that the command line names, and nothing is imported
that is not needed.
"""

import ast
import re
from pathlib import Path

import pytest

import antiphon_providers
from antiphon_providers import registry
from antiphon_providers.contract.plugin import CONTRACTS
from antiphon_providers.registry import STAGES
from providers.contract.verdicts import run

ALL = ("--pyargs", "antiphon_providers.contract")
UNREACHABLE = "test_fails_with_a_typed_error_where_its_service_is_gone"


def named(*providers: str) -> list[str]:
    """The arguments that name them."""
    return [word for name in providers for word in ("--antiphon-provider", name)]


def test_the_twin_of_every_stage_passes() -> None:
    """All in one run, each a class of its own; every stage of a conversation has a contract."""
    twins = [f"{stage}:scripted" for stage in STAGES if "scripted" in registry.installed(stage)]
    done = run(*ALL, *named(*twins))
    assert done.status == 0, done.printed
    assert list(done.failures) == twins
    assert all(len(tests) >= 3 for tests in done.failures.values())
    assert set(CONTRACTS) == set(STAGES) - {"noise_suppression"}


def test_an_option_reaches_those_that_have_it_and_is_checked() -> None:
    """By every test that would make the provider; the voice has no such option, and speaks."""
    providers = named("language_model:scripted", "text_to_speech:scripted")
    given = ["--antiphon-option", "per_token_ms=soon", "-k", "says_something or whole_samples"]
    done = run(*ALL, *providers, *given)
    (refused,) = done.failures["language_model:scripted"].values()
    assert "cannot use its settings" in refused
    assert done.failures["text_to_speech:scripted"] == {"test_gives_whole_samples": ""}


def test_a_service_that_is_not_there_is_tried_where_one_is_told_how() -> None:
    """An adapter turns the refusal into an error of ours; a made-up one is asked nothing."""
    options = [
        "--antiphon-option",
        "model=any",
        "--antiphon-unreachable",
        "base_url=http://[::1]:9",
    ]
    done = run(*ALL, *named("language_model:openai"), *options, "-k", UNREACHABLE)
    assert done.failures["language_model:openai"] == {UNREACHABLE: ""}, done.printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            named("language_model:nobody"),
            "no language model provider 'nobody'; installed: .*openai",
        ),
        (named("singing:openai"), "say STAGE:NAME; the stages: language_model, speech_to_speech"),
        (named("noise_suppression:webrtc"), "say STAGE:NAME"),
        (named("openai"), "say STAGE:NAME"),
        (
            [*named("language_model:openai"), "--antiphon-option", "modle=x"],
            r"no provider that was named has an option modle; they have: .*model",
        ),
        (
            [*named("language_model:openai"), "--antiphon-unreachable", "address=x"],
            r"no provider that was named has an option address",
        ),
        ([], "name a provider: --antiphon-provider STAGE:NAME"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_what_cannot_be_is_refused_before_anything_runs(arguments: list[str], words: str) -> None:
    """In one line, with what there is instead."""
    done = run(*ALL, *arguments)
    assert done.status in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERRUPTED}
    assert re.search(words, done.printed), done.printed
    assert "Traceback" not in done.printed


def test_what_the_contracts_need_is_said_where_it_is_missing(tmp_path: Path) -> None:
    """Without pytest-asyncio none of them can be imported."""
    hiding = "import sys\nsys.modules['pytest_asyncio'] = None\n"
    (tmp_path / "conftest.py").write_text(hiding, "utf-8")
    done = run(str(tmp_path), *ALL, *named("language_model:scripted"))
    assert "pytest_asyncio" in done.printed
    assert "pip install 'antiphon[testing]'" in done.printed
    assert "Traceback" not in done.printed


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_inheriting_a_contract_works_in_either_mode_of_pytest_asyncio(
    tmp_path: Path, mode: str
) -> None:
    """A test module of five lines, in a project that sets nothing."""
    module = tmp_path / "test_mine.py"
    module.write_text(
        "from antiphon_providers.contract.language_model import LanguageModelContract\n"
        "from antiphon_providers.scripted import ScriptedLanguageModel\n"
        "class TestMine(LanguageModelContract):\n"
        "    def make(self):\n"
        "        return ScriptedLanguageModel()\n",
        "utf-8",
    )
    done = run("-o", f"asyncio_mode={mode}", str(module))
    assert done.status == 0, done.printed
    assert len(done.failures["TestMine"]) >= 7


def test_nothing_but_the_contracts_imports_pytest() -> None:
    """A server has none; the contracts' own package can be imported without it too."""
    root = Path(antiphon_providers.__file__).parent
    importing = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else node.names)
        if (name if isinstance(name, str) else name.name).startswith(("pytest", "_pytest"))
    }
    assert {str(Path(name).parent) for name in importing} == {"contract"}
    assert importing.isdisjoint({"contract/__init__.py", "contract/human_speech.py"})
