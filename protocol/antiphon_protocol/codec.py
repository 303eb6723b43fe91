"""Bytes to messages and back: the only JSON in the project's hot path.

``decode_client`` and ``decode_server`` raise ``InvalidFormat`` for anything a peer can get
wrong and nothing else, and what they return can always be encoded again. ``reply.audio``
frames are spliced around the base64 text, which needs no escaping: for 100 ms of PCM 0.8 µs
instead of 2.2.
"""

from __future__ import annotations

import time
from typing import Any, TypeVar

import msgspec
import pybase64

from antiphon_protocol import voice_agent
from antiphon_protocol.errors import InvalidAudio, InvalidFormat
from antiphon_protocol.voice_agent import FromClient, FromServer


class _Envelope(msgspec.Struct):
    type: Any = None


_client: msgspec.json.Decoder[FromClient] = msgspec.json.Decoder(FromClient)
_server: msgspec.json.Decoder[FromServer] = msgspec.json.Decoder(FromServer)
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_anything = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(decimal_format="number").encode

# msgspec raises RecursionError on deep nesting and UnicodeDecodeError (a ValueError) on bad
# UTF-8; neither is a MsgspecError.
UNDECODABLE = (msgspec.MsgspecError, ValueError, RecursionError)

MAX_NESTING = 64
"""Levels of objects and lists a message may have. The decoder alone would take as many as the
interpreter's recursion limit leaves, and echoing the message from deeper in the stack would
then raise. Real tool schemas have about ten.
"""

_MOST_EXACT = 2.0**53
"""Beyond it a float is no longer an exact integer, and soon not one that can be encoded."""

_NO_MESSAGE = "Invalid message format: a message is a JSON object with a string 'type'"
_WITH_FREE_JSON = (
    voice_agent.UpdateSession,
    voice_agent.SessionReady,
    voice_agent.SessionUpdated,
    voice_agent.ToolCall,
)


_Message = TypeVar("_Message", bound=msgspec.Struct)


def _tags(union: Any) -> frozenset[str]:
    return frozenset(str(kind.__struct_config__.tag) for kind in union.__args__)


CLIENT_TYPES = _tags(FromClient)
SERVER_TYPES = _tags(FromServer)


def decode_client(frame: str | bytes) -> FromClient:
    """The client's message in one text frame.

    Raises ``InvalidFormat`` with the hosted service's own words (protocol section 2.1).
    """
    try:
        message = _client.decode(frame)
    except UNDECODABLE:
        message = _with_whole_numbers(frame)
    return _not_too_deep(message)


def decode_server(frame: str | bytes) -> FromServer | None:
    """The server's message in one text frame; None for a type this version does not know.

    Raises ``InvalidFormat`` for a frame that is not a message at all, or is a known one of the
    wrong shape.
    """
    try:
        message = _server.decode(frame)
    except UNDECODABLE:
        if (kind := _type_of(frame)) is None:
            raise InvalidFormat(_what_is_wrong(frame)) from None
        if kind not in SERVER_TYPES:
            return None
        raise InvalidFormat(f"Invalid message format for type '{kind}'") from None
    return _not_too_deep(message)


def _type_of(frame: str | bytes) -> str | None:
    try:
        kind = _decode_envelope(frame).type
    except UNDECODABLE:
        return None
    return kind if isinstance(kind, str) else None


def _with_whole_numbers(frame: str | bytes) -> FromClient:
    """The message of a frame in which a whole number was written with a fraction of zero.

    ``json.dumps(0.5 * 1000)`` is ``500.0``, which Pydantic, at the hosted service, takes for an
    integer. Raises ``InvalidFormat`` for a frame with any other fault.
    """
    try:
        message: FromClient = msgspec.convert(_whole(_decode_anything(frame)), FromClient)
    except UNDECODABLE:
        raise InvalidFormat(_what_is_wrong(frame)) from None
    return message


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MOST_EXACT:
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value


def _what_is_wrong(frame: str | bytes) -> str:
    kind = _type_of(frame)
    if kind is None:
        try:
            _decode_anything(frame)
        except UNDECODABLE:
            return "Invalid JSON format."
        return _NO_MESSAGE
    if kind not in CLIENT_TYPES:
        return f"Unknown message type: {kind[:200]}"
    return f"Invalid message format for type '{kind}'"


def _not_too_deep(message: _Message) -> _Message:
    if isinstance(message, _WITH_FREE_JSON) and _is_deeper_than(MAX_NESTING, message):
        tag = type(message).__struct_config__.tag
        raise InvalidFormat(f"Invalid message format for type '{tag}'")
    return message


def _is_deeper_than(levels: int, value: Any) -> bool:
    if isinstance(value, msgspec.Struct):
        inner = [getattr(value, name) for name in value.__struct_fields__]
    elif isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list | tuple):
        inner = list(value)
    else:
        return False
    return levels == 0 or any(_is_deeper_than(levels - 1, item) for item in inner)


def encode(message: voice_agent.ServerMessage | voice_agent.ClientMessage) -> str:
    """A message as the text of one frame.

    Raises ``ValueError`` for a string with a lone surrogate and ``RecursionError`` for deeply
    nested arguments; a decoded message has neither.
    """
    return _encode(message).decode()


def encode_reply_audio(reply_id: str, samples: bytes, timestamp: float | None = None) -> str:
    """A ``reply.audio`` frame around raw samples in the output encoding.

    ``timestamp`` is Unix seconds, by default now. The frame is the one ``encode`` would make.
    """
    when = _encode(time.time() if timestamp is None else float(timestamp)).decode()
    data = pybase64.b64encode_as_string(samples)
    return (
        f'{{"type":"reply.audio","reply_id":{_encode(reply_id).decode()},'
        f'"data":"{data}","timestamp":{when}}}'
    )


def encode_input_audio(samples: bytes) -> str:
    """An ``input.audio`` frame around raw samples in the input encoding."""
    return f'{{"type":"input.audio","audio":"{pybase64.b64encode_as_string(samples)}"}}'


def decode_base64(text: str) -> bytes:
    """Raw samples from base64; strict: standard alphabet, padded. Raises ``InvalidAudio``.

    Line breaks are passed over: Android's and Java's MIME encoders and Python's
    ``encodebytes`` put them in.
    """
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        unbroken = text.replace("\n", "").replace("\r", "")
    try:
        return pybase64.b64decode(unbroken, validate=True)
    except ValueError:
        raise InvalidAudio from None
