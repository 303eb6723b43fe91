"""What the playground decides without a page: settings, tools, states, words, code."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import antiphon
from antiphon_protocol.session_config import (
    IMMUTABLE_PATHS,
    TurnDetection,
)
from node_tools import NODE

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PARTS = ROOT / "server/antiphon_server/console/web/playground"

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": "order_status",
        "description": 'Where an order is. Say "please".',
        "timeout_seconds": 10,
        "parameters": {
            "type": "object",
            "properties": {
                "note": {"type": "string"},
                "number": {"type": "string", "description": 'Six "digits"\n'},
                "kind": {"enum": ["gift", "plain"]},
            },
            "required": ["number", "kind"],
        },
    },
    {"type": "function", "name": "hang-up", "execution_mode": "hold"},
]


def said_by(program: str) -> Any:
    """What a module prints as JSON."""
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def python_of(settings: dict[str, Any], tools: list[dict[str, Any]]) -> str:
    """The program that the page shows for these settings."""
    code: str = said_by(
        f"""
        const {{ pythonOf }} = await import({json.dumps((PARTS / "code_python.js").as_uri())});
        const {{ defaults }} = await import({json.dumps((PARTS / "settings.js").as_uri())});
        const made = {{ ...defaults(), ...{json.dumps(settings)} }};
        console.log(JSON.stringify(pythonOf(made, {json.dumps(tools)}, "http://127.0.0.1:8400")));
        """
    )
    return code


def test_the_parts_do_what_their_own_tests_say() -> None:
    """Every test in playground_parts.mjs passes, under Node's test runner."""
    done = subprocess.run(
        [NODE, "--test", str(HERE / "playground_parts.mjs")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_knows_the_ranges_and_defaults_of_the_protocol() -> None:
    """What the page says of a turn is what ``session_config`` says; a change there fails here."""
    known = said_by(
        f"""
        const all = await import({json.dumps((PARTS / "settings.js").as_uri())});
        console.log(JSON.stringify([all.RANGES, all.TURN_DEFAULTS, all.PROTECTED_TURNS]));
        """
    )
    ranges, defaults, protected = known
    ours = TurnDetection()
    assert defaults == {
        "vadThreshold": ours.vad_threshold,
        "minSilence": ours.min_silence,
        "maxSilence": ours.max_silence,
        "interruptResponse": ours.interrupt_response,
        "interruptionDelay": ours.interruption_delay,
    }
    for name, kind, field in (
        ("vadThreshold", "TurnDetectionUpdate", "vad_threshold"),
        ("minSilence", "TurnDetectionUpdate", "min_silence"),
        ("maxSilence", "TurnDetectionUpdate", "max_silence"),
        ("interruptionDelay", "TurnDetectionUpdate", "interruption_delay"),
        ("volume", "OutputUpdate", "volume"),
        ("voiceFocusThreshold", "InputUpdate", "voice_focus_threshold"),
    ):
        said = _range_of(kind, field)
        assert (ranges[name]["min"], ranges[name]["max"]) == said, name
    kinds = _field("TurnDetectionUpdate", "uninterruptible_turns")["anyOf"]
    assert {kind for one in kinds for kind in one.get("items", {}).get("enum", [])} == set(
        protected
    )


def _range_of(kind: str, field: str) -> tuple[float, float]:
    numbers = next(one for one in _field(kind, field)["anyOf"] if "minimum" in one)
    return numbers["minimum"], numbers["maximum"]


def _field(kind: str, field: str) -> dict[str, Any]:
    schema = json.loads((ROOT / "docs/reference/voice_agent.schema.json").read_text("utf-8"))
    found: dict[str, Any] = schema["$defs"][kind]["properties"][field]
    return found


def test_the_page_warns_of_every_field_that_freezes_and_that_it_can_set() -> None:
    """A field that froze is told with the next call; the page sets no other frozen field."""
    set_here = {"greeting", "input.type", "output.type", "output.voice"}
    # Sound is int16 PCM at 24 kHz on this page, in both directions and always.
    assert set(IMMUTABLE_PATHS) - set_here == {"input.format", "output.format"}


@pytest.mark.parametrize("stored", ["", "agent_1"])
def test_the_python_client_is_a_program(stored: str) -> None:
    """It compiles, whatever the settings' texts are, and connects with what is set."""
    code = python_of(
        {
            "agentId": stored,
            "greeting": 'Hi "you" \\ \u2028 """ {x}',
            "volume": 70,
            "keyterms": "Antiphon\nFlite",
            "turns": "fixed",
        },
        TOOLS,
    )
    calls = [one for one in ast.walk(ast.parse(code)) if isinstance(one, ast.Call)]
    connect = next(one for one in calls if ast.unparse(one.func) == "antiphon.connect")
    given = {one.arg for one in connect.keywords if one.arg is not None}
    assert given == (
        {"agent_id"}
        if stored
        else {"system_prompt", "greeting", "volume", "keyterms", "turn_detection", "tools"}
    )
    inspect.signature(antiphon.connect).bind_partial("ws://127.0.0.1", None, **dict.fromkeys(given))


def test_the_python_client_declares_the_tools_of_the_page() -> None:
    """Each tool is a function whose declaration has the same name, arguments and words."""
    tree = ast.parse(python_of({}, TOOLS))
    # All but the last line, which would begin the call.
    module = ModuleType("generated")
    exec(compile(ast.Module(tree.body[:-1], []), "generated", "exec"), module.__dict__)  # noqa: S102
    declared = {tool.name: tool for tool in module.tools.declarations()}
    assert set(declared) == {"order_status", "hang-up"}
    order = declared["order_status"]
    assert order.description == TOOLS[0]["description"]
    assert order.timeout_seconds == 10
    assert set(order.parameters["properties"]) == {"note", "number", "kind"}
    assert set(order.parameters["required"]) == {"number", "kind"}
    assert order.parameters["properties"]["kind"]["enum"] == ["gift", "plain"]
    assert declared["hang-up"].execution_mode == "hold"
