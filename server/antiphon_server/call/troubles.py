"""What goes wrong in a call, as it goes on record: in plain words, and nobody waits for it.

What happens at a provider is noted deep within wrappers that know of no session
(``observe.notes``); here it is heard of, and passed on to the session's trace.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context

from antiphon_server.call.chronicle import Chronicle
from antiphon_server.conversation.vocabulary import Failure
from antiphon_server.observe import notes
from antiphon_server.observe.notes import Noting
from antiphon_server.observe.spans import Value

STAGES = {
    "stt_provider_error": "speech_to_text",
    "llm_provider_error": "language_model",
    "tts_provider_error": "text_to_speech",
    "s2s_provider_error": "speech_to_speech",
}
"""Of the codes that a client is told."""
SWITCHED = "switched"
"""The code of a provider that another one took over from."""


class Troubles:
    """Those of one session. ``reply_id`` says which reply is open."""

    def __init__(self, chronicle: Chronicle, reply_id: Callable[[], str | None]) -> None:
        self.trace: Noting | None = None
        """Is told of all that is noted."""
        self._chronicle = chronicle
        self._reply_id = reply_id

    def context(self) -> Context:
        """What the session's tasks run in."""
        return notes.context_of(self)

    def refused(self, code: str, message: str) -> None:
        """A message of the client was refused."""
        self._chronicle.troubled("client", code, message)

    def failed(self, reply_id: str, failure: Failure, providers: dict[str, str]) -> None:
        """A reply broke off, or apologised."""
        stage = STAGES.get(failure.code)
        self._chronicle.troubled(
            "reply",
            failure.code,
            failure.message,
            stage=stage,
            provider=providers.get(stage or ""),
            reply_id=reply_id,
        )

    # --- as what notes are told to -------------------------------------------------------

    def note(self, name: str, attributes: dict[str, Value]) -> None:
        """Something happened now."""
        if name in {"provider.failed", "provider.switched"}:
            self._provider(name, attributes)
        if self.trace is not None:
            self.trace.note(name, attributes)

    def asks(self, call_id: str, method: str, url: str) -> None:
        """As in ``Noting``."""
        if self.trace is not None:
            self.trace.asks(call_id, method, url)

    def answered(self, call_id: str, status: int | None, failure: str | None) -> None:
        """As in ``Noting``."""
        if self.trace is not None:
            self.trace.answered(call_id, status, failure)

    def traceparent(self, call_id: str | None) -> str | None:
        """As in ``Noting``."""
        return None if self.trace is None else self.trace.traceparent(call_id)

    def _provider(self, name: str, attributes: dict[str, Value]) -> None:
        stage, provider = str(attributes["antiphon.stage"]), str(attributes["gen_ai.provider.name"])
        words = stage.replace("_", " ")
        if name == "provider.switched":
            to, why = attributes["antiphon.to"], attributes["antiphon.reason"]
            code, told = SWITCHED, f"{to} took over from {provider} ({words}): {why}"
        else:
            code = str(attributes["error.type"])
            told = f"{provider} failed ({words}): {code.replace('_', ' ')}"
        self._chronicle.troubled(
            "provider", code, told, stage=stage, provider=provider, reply_id=self._reply_id()
        )
