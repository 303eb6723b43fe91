"""A reply that is over, as it goes on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from antiphon_server.call.mouth import Said
from antiphon_server.call.timeline import OVERHEAD, Timed


class Told(Struct, frozen=True):
    """What a record says beside the reply itself."""

    reply_id: str
    item_id: str
    timed: Timed
    models: Callable[[str, str], str]
    """As in ``Services``."""
    ms: Callable[[float], int]
    """Milliseconds from ``session.ready`` to a moment of the session's clock."""


def recounted(said: Said, told: Told, *, interrupted: bool) -> dict[str, Any]:
    """The fields of ``records.AgentSaid``."""
    ms, timed = told.ms, told.timed
    stages = timed.stages
    if said.sounded is None:
        # How far it came; of hand-overs that never came nothing is known.
        stages = {name: spent for name, spent in stages.items() if name != OVERHEAD}
    sounded = None if said.sounded is None else ms(said.sounded)
    words = () if sounded is None else said.words
    return {
        "reply_id": told.reply_id,
        "item_id": told.item_id,
        "trigger": said.trigger,
        "status": "interrupted" if interrupted else "completed",
        "text": said.text,
        "method": said.method,
        "instructions": said.instructions,
        "started_ms": ms(said.started),
        "sounded_ms": sounded,
        "ended_ms": ms(said.ended),
        "time_to_first_audio_ms": said.first_audio_ms,
        "unheard": said.unheard,
        "words": tuple(
            (word.text, (sounded or 0) + word.start_ms, (sounded or 0) + word.end_ms)
            for word in words
        ),
        "stages": stages,
        "providers": timed.providers,
        "models": _models(said, told),
        "reasons": timed.reasons,
    }


def _models(said: Said, told: Told) -> dict[str, str]:
    named = {stage: told.models(stage, name) for stage, name in told.timed.providers.items()}
    if said.clock.chosen is not None:
        named["language_model"] = said.clock.chosen.model
    return {stage: model for stage, model in named.items() if model}
