"""No provider and no wrapper of providers is outside the contract of its stage."""

import ast
from collections.abc import Iterator

from house.layout import ROOT, pyproject, python_files

CONTRACTS = {
    "language_model": "LanguageModelContract",
    "speech_to_speech": "SpeechToSpeechContract",
    "speech_to_text": "SpeechToTextContract",
    "text_to_speech": "TextToSpeechContract",
    "turn_model": "TurnModelContract",
    "voice_activity": "VoiceActivityContract",
}
CHOOSERS = {"best_local_voice": "LocalVoice"}
"""Entry points that are no class: what they make is what keeps the contract."""
PARTS = {"VoiceInConversation": "one call's part of ResilientTextToSpeech, which is tested"}
STAGELESS = {"noise_suppression": "a function of audio, whose tests are its own"}


def _bases(module: ast.Module) -> Iterator[str]:
    """The names of what the classes of a module inherit."""
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            yield from (ast.unparse(base).rpartition(".")[2] for base in node.bases)


def _names(module: ast.Module) -> set[str]:
    """All names that a module's code uses."""
    used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    return used | {node.attr for node in ast.walk(module) if isinstance(node, ast.Attribute)}


def _under_contract() -> dict[str, set[str]]:
    """By contract: the names used by the test modules that have a class of it."""
    found: dict[str, set[str]] = {contract: set() for contract in CONTRACTS.values()}
    for path in python_files("tests"):
        module = ast.parse((ROOT / path).read_text("utf-8"))
        for contract in found.keys() & set(_bases(module)):
            if path.name.startswith("test_"):
                found[contract] |= _names(module)
                for helper in _helpers(module):
                    found[contract] |= _names(helper)
    return found


def _helpers(module: ast.Module) -> Iterator[ast.Module]:
    """The modules of tests that a test module takes its providers from."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            path = ROOT / "tests" / f"{node.module.replace('.', '/')}.py"
            if path.is_file():
                yield ast.parse(path.read_text("utf-8"))


def _wrappers() -> Iterator[str]:
    """The classes of resilience/ that are providers themselves: they are started and closed."""
    for path in python_files("providers/antiphon_providers/resilience"):
        for node in ast.parse((ROOT / path).read_text("utf-8")).body:
            if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
                continue
            methods = {part.name for part in node.body if isinstance(part, ast.AsyncFunctionDef)}
            bases = {ast.unparse(base) for base in node.bases}
            swaps = any(base.startswith("Swappable[") for base in bases)
            if swaps or ({"start", "close"} <= methods and not any("Generic" in b for b in bases)):
                yield node.name


def test_every_installed_provider_is_run_through_the_contract_of_its_stage() -> None:
    """By a test module with a class of that contract; a new entry point fails until it has one."""
    tested = _under_contract()
    points = pyproject()["project"]["entry-points"]
    without = [
        f"{stage}: {name}"
        for group, providers in points.items()
        if (stage := group.removeprefix("antiphon.")) in CONTRACTS
        for name, target in providers.items()
        if CHOOSERS.get(made := target.rpartition(":")[2], made) not in tested[CONTRACTS[stage]]
    ]
    assert without == []


def test_every_stage_that_has_providers_has_a_contract() -> None:
    """Nobody forgets it for a new stage."""
    groups = set(pyproject()["project"]["entry-points"]) - {"antiphon.commands", "pytest11"}
    assert groups == {f"antiphon.{stage}" for stage in (*CONTRACTS, *STAGELESS)}


def test_every_wrapper_of_providers_is_run_through_a_contract() -> None:
    """What stands in for a provider keeps a provider's promises: fallback, hot swap, routing."""
    tested = set().union(*_under_contract().values())
    wrappers = set(_wrappers())
    assert {"ResilientLanguageModel", "Router", "SwappableTextToSpeech"} <= wrappers
    assert wrappers - tested - set(PARTS) == set()
