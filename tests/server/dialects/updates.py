"""Updates as a client sends them, applied as the server does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.errors import (
    ProtocolError,
)
from antiphon_protocol.session_config import (
    SessionConfig,
)
from antiphon_server.dialects.session_update import apply

TOOL = {"type": "function", "name": "f"}
NOTHING = SessionConfig("sess_1")
POLICY = 1008


def applied(
    session: dict[str, Any],
    current: SessionConfig = NOTHING,
    *,
    first: bool = True,
    former_voices: bool = True,
) -> SessionConfig:
    """As the server does it: through the codec, then merged."""
    frame = msgspec.json.encode({"type": "session.update", "session": session})
    message = codec.decode_client(frame)
    assert isinstance(message, wire.UpdateSession)
    assert message.session is not None
    return apply(current, message.session, first=first, former_voices=former_voices)


def refused(session: dict[str, Any], **how: Any) -> ProtocolError:
    """The error with which an update is refused, as fatal as it is on the first."""
    with pytest.raises(ProtocolError) as caught:
        applied(session, **how)
    first = how.get("first", True)
    return caught.value.on_first_update() if first else caught.value
