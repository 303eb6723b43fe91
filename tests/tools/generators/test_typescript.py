"""The TypeScript declarations, judged by the compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from generators.typescript import outputs, range_of, type_of
from node_tools import NODE_ROOT, tool

USAGE = Path(__file__).parent.parent / "voice_agent_usage.ts"


def _compile(folder: Path, usage: str) -> subprocess.CompletedProcess[str]:
    (folder / "voice_agent.d.ts").write_text("".join(outputs().values()), encoding="utf-8")
    (folder / "usage.ts").write_text(usage, encoding="utf-8")
    files = ["voice_agent.d.ts", "usage.ts"]
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "preserve"]
    return subprocess.run(
        [*tool("tsc", package="typescript"), *options, *(str(folder / name) for name in files)],
        cwd=NODE_ROOT,
        capture_output=True,
        check=False,
        text=True,
    )


def test_right_usage_compiles_and_wrong_usage_does_not(tmp_path: Path) -> None:
    """Messages are narrowed by ``type``; each ``@ts-expect-error`` in the file is an error."""
    done = _compile(tmp_path, USAGE.read_text("utf-8"))
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_compiler_would_notice(tmp_path: Path) -> None:
    """Without the expectations the same file fails, once for each of them."""
    usage = USAGE.read_text("utf-8")
    done = _compile(tmp_path, usage.replace("// @ts-expect-error:", "// Wrong:"))
    assert done.returncode != 0
    assert done.stdout.count("error TS") == usage.count("// @ts-expect-error:")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, "unknown"),
        ({"type": "integer"}, "number"),
        ({"const": "a"}, '"a"'),
        ({"enum": ["a", "b"], "type": "string"}, '"a" | "b"'),
        ({"$ref": "#/$defs/Tool"}, "Tool"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, 'Array<"a" | "b">'),
        ({"type": "array"}, "Array<unknown>"),
        ({"type": "object"}, "Record<string, unknown>"),
        (
            {"type": "object", "additionalProperties": {"type": "number"}},
            "Record<string, number>",
        ),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string | null"),
    ],
    ids=str,
)
def test_a_schema_becomes_a_type(schema: dict[str, object], expected: str) -> None:
    """The kinds of schema that msgspec writes."""
    assert type_of(schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, ""),
        ({"minimum": 50, "maximum": 100}, "50 to 100"),
        ({"minimum": 0}, "at least 0"),
        ({"maxLength": 500}, "at most 500 characters"),
        ({"anyOf": [{"type": "number", "minimum": 1}, {"type": "null"}]}, "at least 1"),
        ({"minItems": 1, "maxItems": 3}, "1 to 3 entries"),
    ],
    ids=str,
)
def test_limits_become_words(schema: dict[str, object], expected: str) -> None:
    """Inclusive on both sides."""
    assert range_of(schema) == expected
