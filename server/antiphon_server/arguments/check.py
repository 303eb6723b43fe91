"""Whether the arguments of a tool call fit the tool's parameters (protocol section 3.3).

By the library ``jsonschema``, with what an untrusted schema needs around it: references are
followed within the schema only, ``pattern`` is a Python regular expression that must match the
whole value within a time limit, a keyword that cannot be used is skipped, and a check ends
after so many steps. What could not be checked for that reason counts as right; a pattern that
takes too long does not match.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cache, cached_property
from time import thread_time
from typing import Any

import msgspec
from jsonschema import validators
from jsonschema.exceptions import ValidationError
from referencing import Registry

from antiphon_server.arguments.formats import FORMATS
from antiphon_server.arguments.parameters import Parameters, compiled, read_parameters
from antiphon_server.arguments.problems import Problem, problem_of

MOST_PROBLEMS = 5
"""A model cannot mend more at once, and a caller cannot be asked for more."""
MOST_BYTES = 64 * 1024
DEEPEST = 32
MOST_STEPS = 5_000
"""Keywords looked at in one check: some 50 ms. An ordinary call takes 10 to 100."""
PATTERN_SECONDS = 0.05
PATTERNS_SECONDS = 0.15
"""For one value, and for all of a check together: the event loop waits for it."""
CHECK_SECONDS = 0.15
"""Of this thread, for everything: a step is quick, but what the library writes about a large
value is not."""
TOLERANCE = 1e-9
"""Relative: 19.99 is a multiple of 0.01, though not as binary fractions."""

_NEWEST = validators.Draft202012Validator


def _plain(address: str) -> str:
    """The address of a draft as its writers vary it."""
    return address.removeprefix("https").removeprefix("http").rstrip("#/")


_DRAFTS = {
    _plain(draft.META_SCHEMA.get("$id", draft.META_SCHEMA.get("id"))): draft
    for draft in (
        validators.Draft4Validator,
        validators.Draft6Validator,
        validators.Draft7Validator,
        validators.Draft201909Validator,
    )
}

Checked = Iterator[ValidationError]
Keyword = Callable[[Any, Any, Any, Any], Checked | None]


class Arguments:
    """The check of one tool's arguments. The schema is read when it is first needed: a client
    may send many at once, and most tools are never called.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    @property
    def complaints(self) -> tuple[str, ...]:
        """What of the schema is not used."""
        return self._parameters.complaints

    @cached_property
    def _parameters(self) -> Parameters:
        return read_parameters(self._schema)

    @cached_property
    def _validator(self) -> Any:
        return _validator_class(_draft(self._schema))(
            self._parameters.schema, registry=Registry(), format_checker=FORMATS
        )

    def check(self, arguments: dict[str, Any]) -> tuple[Problem, ...]:
        """What is wrong with them, at most ``MOST_PROBLEMS``; nothing where they fit."""
        excess = _excess(arguments)
        if excess is not None:
            return (excess,)
        problems: list[Problem] = []
        budget = _budget.set(_Budget())
        try:
            for error in self._validator.iter_errors(arguments):
                problems.append(problem_of(error))
                if len(problems) == MOST_PROBLEMS:
                    break
        except (_Exhausted, RecursionError):
            pass
        finally:
            _budget.reset(budget)
        return tuple(problems)


class _Exhausted(Exception):
    """The check has taken as long as it may."""


class _Budget:
    """What is left of one check."""

    def __init__(self) -> None:
        self.steps = MOST_STEPS
        self.ends_at = thread_time() + CHECK_SECONDS
        self.pattern_seconds = PATTERNS_SECONDS


_budget: ContextVar[_Budget] = ContextVar("budget")


def _excess(arguments: dict[str, Any]) -> Problem | None:
    """Arguments that are too large to be looked at."""
    left: deque[tuple[Any, int]] = deque([(arguments, 1)])
    while left:
        value, depth = left.popleft()
        if depth > DEEPEST:
            return Problem("", f"must not be nested deeper than {DEEPEST} levels", "depth")
        if isinstance(value, dict):
            left.extend((one, depth + 1) for one in value.values())
        elif isinstance(value, list):
            left.extend((one, depth + 1) for one in value)
    if len(msgspec.json.encode(arguments)) > MOST_BYTES:
        return Problem("", f"must not be longer than {MOST_BYTES // 1024} KiB", "size")
    return None


def _draft(schema: dict[str, Any]) -> Any:
    """The draft that ``$schema`` names; the newest for any other name, and for none."""
    named = schema.get("$schema")
    return _DRAFTS.get(_plain(named) if isinstance(named, str) else "", _NEWEST)


@cache
def _validator_class(draft: Any) -> Any:
    """A draft's validator with every keyword guarded, and ours in place of its own."""
    keywords: dict[str, Keyword] = {**draft.VALIDATORS, **_OURS}
    guarded = {name: _guarded(check) for name, check in keywords.items()}
    return validators.extend(draft, guarded)


def _guarded(check: Keyword) -> Keyword:
    """A keyword that counts its steps; one that breaks is skipped, as if it were not there."""

    def guarded(validator: Any, value: Any, instance: Any, schema: Any) -> Checked:
        budget = _budget.get()
        budget.steps -= 1
        if budget.steps < 0 or thread_time() > budget.ends_at:
            raise _Exhausted
        try:
            yield from check(validator, value, instance, schema) or ()
        except RecursionError:
            raise _Exhausted from None
        except _Exhausted:
            raise
        # A library's function on a stranger's schema: what it raises is not ours to list.
        except Exception:  # noqa: BLE001
            return

    return guarded


def _matches(pattern: str, value: str, *, whole: bool) -> bool:
    """Whether a pattern matches, in time; one that cannot be used matches everything."""
    expression = compiled(pattern)
    if expression is None:
        return True
    budget = _budget.get()
    seconds = min(PATTERN_SECONDS, budget.pattern_seconds)
    if seconds <= 0:
        return False
    match = expression.fullmatch if whole else expression.search
    begun = thread_time()
    try:
        return match(value, timeout=seconds) is not None
    except TimeoutError:
        return False
    finally:
        budget.pattern_seconds -= thread_time() - begun


# --- keywords of ours --------------------------------------------------------------------


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Checked:
    if isinstance(instance, str) and not _matches(pattern, instance, whole=True):
        yield ValidationError("does not match")


def _required(_: Any, names: list[str], instance: Any, __: Any) -> Checked:
    if isinstance(instance, dict):
        for name in dict.fromkeys(names):
            if name not in instance:
                yield ValidationError("is missing", path=(name,))


def _pattern_properties(validator: Any, named: Any, instance: Any, _: Any) -> Checked:
    if isinstance(instance, dict):
        for pattern, schema in named.items():
            for name, value in instance.items():
                if _matches(pattern, name, whole=False):
                    yield from validator.descend(value, schema, path=name)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Checked:
    if not isinstance(instance, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in known or any(_matches(pattern, name, whole=False) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError("is not allowed", path=(name,))
        else:
            yield from validator.descend(value, allowed, path=name)


def _multiple_of(_: Any, step: float, instance: Any, __: Any) -> Checked:
    if isinstance(instance, int | float) and not isinstance(instance, bool):
        times = instance / step
        if abs(times - round(times)) > TOLERANCE * max(1.0, abs(times)):
            yield ValidationError("is no multiple")


def _unique_items(_: Any, unique: bool, instance: Any, __: Any) -> Checked:
    if unique and isinstance(instance, list):
        seen = {msgspec.json.encode(one, order="sorted") for one in instance}
        if len(seen) < len(instance):
            yield ValidationError("has an item twice")


_OURS: dict[str, Keyword] = {
    "additionalProperties": _additional_properties,
    "multipleOf": _multiple_of,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "required": _required,
    "uniqueItems": _unique_items,
}
