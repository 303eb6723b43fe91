"""What a model is told instead of a result, when its call of a tool is not made.

Two texts, as the hosted service has them (protocol section 3.3): the message that stands in the
place of the tool's result, and a note that makes the model ask.
"""

from __future__ import annotations

from collections.abc import Sequence

from antiphon_server.arguments.problems import Problem


def refusal_text(problems: Sequence[Problem], ungrounded: Sequence[str]) -> str:
    """What is wrong with the arguments, one sentence for each."""
    sentences = ["The tool was not called.", *(f"{problem.text}." for problem in problems)]
    unsaid = [path for path in ungrounded if path not in {problem.path for problem in problems}]
    if unsaid:
        sentences.append(f"Neither the caller nor a tool has given {_quoted(unsaid)}.")
    return " ".join(sentences)


def ask_note(problems: Sequence[Problem], ungrounded: Sequence[str]) -> str:
    """What to do about it."""
    paths = [path for path in (*ungrounded, *(problem.path for problem in problems)) if path]
    wanted = _quoted(list(dict.fromkeys(paths))) if paths else "what is missing"
    return (
        f"If the caller has already said what {wanted} should be, call the tool again with "
        "exactly that. Otherwise ask the caller for it in one short question and wait for the "
        "answer. Never make up a value, and do not say that a tool refused."
    )


def _quoted(paths: Sequence[str]) -> str:
    quoted = [f"'{path}'" for path in paths]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
