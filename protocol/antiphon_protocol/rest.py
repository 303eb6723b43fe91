"""The bodies of the REST API: what may be asked, what is answered, how errors are told.

Source: voice agent protocol, sections 1.4, 1.5 and 6.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Struct

from antiphon_protocol.session_config import VOICES
from antiphon_protocol.units import ranged, says

WINDOW_SECONDS = (1, 600)
"""The shortest and the longest time in which a temporary token may be redeemed."""
DEFAULT_WINDOW_SECONDS = 60
"""Of ``POST /v1/tokens``; ``GET /v1/token`` has no default."""
TOKEN_SESSION_SECONDS = (60, 10_800)
"""The shortest and the longest session a temporary token may allow; the longest by default."""
PAGE_LENGTHS = (1, 200)
DEFAULT_PAGE_LENGTH = 50

_TOKEN = says("Opaque; a credential wherever a WebSocket takes one.")

# --- errors --------------------------------------------------------------------------------


class Fault(Struct, frozen=True, omit_defaults=True):
    """What is wrong with one parameter or field, in the shape of FastAPI."""

    type: Annotated[str, says("What kind of fault, such as `missing`.")]
    loc: Annotated[
        tuple[str | int, ...],
        says("Where: `header`, `query` or `body`, then the names, and the indices of lists."),
    ]
    msg: Annotated[str, says("What went wrong, for a person.")]
    input: Annotated[Any, says("What was sent; null for nothing.")]
    ctx: Annotated[dict[str, Any] | None, says("The limit that was passed.")] = None


class TokenRefused(Struct, frozen=True):
    """A refusal of ``GET /v1/token``, which has no other envelope."""

    detail: Annotated[str | tuple[Fault, ...], says("What went wrong.")]


class ErrorItem(Struct, frozen=True):
    """One of several things that are wrong with a request."""

    message: Annotated[str, says("What went wrong, for a person.")]
    param: Annotated[str | None, says("Path of the offending field, where there is one.")]


class ErrorBody(Struct, frozen=True):
    """Every error of the REST API but those of ``GET /v1/token`` (section 6.1)."""

    code: Annotated[str, says("What kind of error, for a program.")]
    message: Annotated[str, says("What went wrong, for a person.")]
    param: Annotated[str | None, says("Path of the offending field, where there is one.")]
    request_id: Annotated[str, says("The same as in the header `X-Request-Id`.")]
    errors: Annotated[tuple[ErrorItem, ...] | None, says("Everything that is wrong.")] = None
    detail: Annotated[
        tuple[Fault, ...] | None, says("Deprecated; the faults of a `validation_error`.")
    ] = None


# --- temporary tokens ----------------------------------------------------------------------


class Token(Struct, frozen=True):
    """The answer of ``GET /v1/token``."""

    token: Annotated[str, _TOKEN]
    expires_in_seconds: Annotated[int, says("Seconds in which it may be redeemed, as asked.")]


class TokenRequest(Struct, frozen=True):
    """The body of ``POST /v1/tokens``, which may be absent; null stands for the default."""

    expires_in_seconds: Annotated[
        int | None,
        ranged(
            "Seconds in which the token may be redeemed.",
            ge=WINDOW_SECONDS[0],
            le=WINDOW_SECONDS[1],
        ),
    ] = DEFAULT_WINDOW_SECONDS
    max_session_duration_seconds: Annotated[
        int | None,
        ranged(
            "Seconds after which a session opened with the token is cut. An extension.",
            ge=TOKEN_SESSION_SECONDS[0],
            le=TOKEN_SESSION_SECONDS[1],
        ),
    ] = TOKEN_SESSION_SECONDS[1]


class ExpiringToken(Struct, frozen=True):
    """The answer of ``POST /v1/tokens``."""

    token: Annotated[str, _TOKEN]
    expires_at: Annotated[datetime, says("Until when it may be redeemed: RFC 3339, UTC.")]


# --- what there is -------------------------------------------------------------------------


class Voice(Struct, frozen=True, omit_defaults=True):
    """A voice that ``output.voice`` may name."""

    id: Annotated[str, says("What `output.voice` takes.")]
    name: Annotated[str, says("For a person.")]
    language: Annotated[
        str | None, says("Of the name in the hosted catalogue; not what it can speak here.")
    ] = None


class VoiceList(Struct, frozen=True):
    """The answer of ``GET /v1/voices``; the hosted service's shape is not known."""

    voices: Annotated[tuple[Voice, ...], says("By id.")]


class BuiltinToolList(Struct, frozen=True):
    """The answer of ``GET /v1/builtin-tools``."""

    builtin_tools: Annotated[tuple[dict[str, Any], ...], says("None on this server.")] = ()


class ResponseMetadata(Struct, frozen=True):
    """Where a list goes on."""

    next_cursor: Annotated[str, says("For `cursor`; empty at the end.")] = ""


class Page(Struct, frozen=True, kw_only=True):
    """What every list has beside its collection."""

    has_more: Annotated[bool, says("Whether there is another page.")] = False
    response_metadata: Annotated[ResponseMetadata, says("Where it goes on.")] = ResponseMetadata()


class CallList(Page, frozen=True):
    """The answer of ``GET /v1/calls``."""

    calls: Annotated[tuple[dict[str, Any], ...], says("Telephone calls.")] = ()


class PhoneNumberList(Page, frozen=True):
    """The answer of ``GET /v1/phone-numbers``."""

    phone_numbers: Annotated[tuple[dict[str, Any], ...], says("Telephone numbers.")] = ()


_LANGUAGES = {
    "en-US": ("alba", "eve", "george", "jane", "jean", "mary", "michael"),
    "en-GB": ("anna", "charles", "paul", "vera"),
    "it": ("giovanni",),
    "es": ("lola",),
    "de": ("juergen",),
    "pt": ("rafael",),
    "fr": ("estelle",),
}
"""Section 3.4, which says nothing of the two names that are missing."""


def catalogue() -> VoiceList:
    """The voices of the catalogue."""
    languages = {voice: language for language, voices in _LANGUAGES.items() for voice in voices}
    return VoiceList(
        tuple(Voice(voice, voice.capitalize(), languages.get(voice)) for voice in VOICES)
    )
