"""A receiver believes what was signed with its secret a moment ago, and nothing else."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from antiphon import AntiphonError, webhooks
from antiphon_protocol.webhook_signature import signature, standard_signature

SECRET = "k7Jq2vXw9zR4tY6uB1nM3cP8sD5fG0hL2aE9oI4xZQw"  # noqa: S105 - of no server
OLD = "an-old-secret-that-was-replaced-yesterday"
AT = 1_790_210_425
BODY = json.dumps(
    {
        "event": "session.completed",
        "event_id": "evt_0",
        "session_id": "sess_1",
        "agent_id": None,
        "created_at": "2026-09-24T00:00:25Z",
    }
).encode()


def _headers(
    body: bytes = BODY, at: int = AT, secret: str = SECRET, event_id: str = "evt_0"
) -> dict[str, str]:
    """What a server sends with a body."""
    return {
        "Content-Type": "application/json",
        "X-AAI-Signature": f"t={at},v1={signature(secret, at, body)}",
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{standard_signature(secret, event_id, at, body)}",
    }


def _without(headers: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


def _own(value: str) -> dict[str, str]:
    return {"X-AAI-Signature": value}


def _standard(**changed: str) -> dict[str, str]:
    """Only the standard's headers, some of them replaced."""
    named = {f"webhook-{name}": value for name, value in changed.items()}
    return _without(_headers(), "X-AAI-Signature") | named


V1 = signature(SECRET, AT, BODY)
STANDARD_V1 = standard_signature(SECRET, "evt_0", AT, BODY)
OTHER_DIGITS = str(AT).replace("1", "\u0661")
FLIPPED = BODY[:-2] + bytes([BODY[-2] ^ 1]) + BODY[-1:]

TAMPERED: dict[str, tuple[bytes, dict[str, str], float]] = {
    "a byte of the body": (FLIPPED, _headers(), AT),
    "a byte of the body, own scheme": (FLIPPED, _own(f"t={AT},v1={V1}"), AT),
    "a byte of the body, standard scheme": (FLIPPED, _standard(), AT),
    "a byte more": (BODY + b" ", _headers(), AT),
    "a byte less": (BODY[:-1], _headers(), AT),
    "no body": (b"", _headers(), AT),
    "other white space": (BODY.replace(b": ", b":"), _headers(), AT),
    "another event": (BODY.replace(b"completed", b"started"), _headers(), AT),
    "a later t": (BODY, _headers() | _own(f"t={AT + 1},v1={V1}"), AT),
    "a later standard time": (BODY, _standard(timestamp=str(AT + 1)), AT),
    "another id": (BODY, _standard(id="evt_9"), AT),
    "no id": (BODY, _without(_standard(), "webhook-id"), AT),
    "an id that is none": (BODY, _standard(id="evt_0 "), AT),
    "no standard time": (BODY, _without(_standard(), "webhook-timestamp"), AT),
    "an id that was signed, of another event": (BODY, _headers(event_id="evt_9"), AT),
    "the old secret": (BODY, _headers(secret=OLD), AT),
    "the old secret in one scheme": (
        BODY,
        _headers() | _own(f"t={AT},v1={signature(OLD, AT, BODY)}"),
        AT,
    ),
    "no secret at all": (BODY, _headers(secret=""), AT),
    "a replay after 301 s": (BODY, _headers(), AT + 301),
    "a replay after 301 s, standard scheme": (BODY, _standard(), AT + 301),
    "a time 301 s ahead": (BODY, _headers(), AT - 301),
    "a replay a year later with a new standard time": (
        BODY,
        _headers(at=AT) | {"webhook-timestamp": str(AT + 31_536_000)},
        AT + 31_536_000,
    ),
    "no signature": (BODY, {"Content-Type": "application/json"}, AT),
    "an empty signature": (BODY, _own(""), AT),
    "an empty standard signature": (BODY, _standard(signature=""), AT),
    "no v1": (BODY, _own(f"t={AT}"), AT),
    "no t": (BODY, _own(f"v1={V1}"), AT),
    "two times": (BODY, _own(f"t={AT},t={AT + 1},v1={V1}"), AT),
    "a scheme of our own": (BODY, _own(f"t={AT},v0={V1}"), AT),
    "a standard scheme of our own": (BODY, _standard(signature=f"v2,{STANDARD_V1}"), AT),
    "a signature cut short": (BODY, _own(f"t={AT},v1={V1[:-1]}"), AT),
    "a signature with more behind it": (BODY, _own(f"t={AT},v1={V1}0"), AT),
    "a signature in capitals": (BODY, _own(f"t={AT},v1={V1.upper()}"), AT),
    "a signature that is no hexadecimal": (BODY, _own(f"t={AT},v1={'é' * 64}"), AT),
    "a time that is no number": (BODY, _own(f"t=now,v1={V1}"), AT),
    "a time with a sign": (BODY, _own(f"t=+{AT},v1={V1}"), AT),
    "a time in other digits": (BODY, _own(f"t={OTHER_DIGITS},v1={V1}"), AT),
    "an endless time": (BODY, _own(f"t={'9' * 5_000},v1={V1}"), AT),
    "the hash of the body instead": (BODY, _own(f"t={AT},v1={signature('', 0, BODY)}"), AT),
}


@pytest.mark.parametrize(("body", "headers", "now"), TAMPERED.values(), ids=TAMPERED)
def test_what_was_tampered_with_is_refused(
    body: bytes, headers: dict[str, str], now: float
) -> None:
    """In either scheme, also where the other one is untouched."""
    with pytest.raises(webhooks.WebhookRefused):
        webhooks.verify(body, headers, SECRET, now=now)


def test_there_are_thirty_kinds_of_tampering() -> None:
    """And a refusal is an error of this package."""
    assert len(TAMPERED) >= 30
    assert issubclass(webhooks.WebhookRefused, AntiphonError)


@pytest.mark.parametrize(
    "headers",
    [
        _headers(),
        _own(f"t={AT},v1={V1}"),
        _standard(),
        _own(f" v1={V1} , t={AT} "),
        _own(f"t={AT},v0=x,v1={signature(OLD, AT, BODY)},v1={V1},v2=y"),
        _standard(
            signature=f"v1a,x v1,{standard_signature(OLD, 'evt_0', AT, BODY)} v1,{STANDARD_V1}"
        ),
        {name.upper(): value for name, value in _headers().items()},
        {name.lower(): value for name, value in _headers().items()},
    ],
    ids=["both", "own", "standard", "spaces", "several", "several standard", "upper", "lower"],
)
def test_what_is_genuine_is_believed(headers: dict[str, str]) -> None:
    """In each scheme, in both, and while a server signs with two secrets."""
    event = webhooks.verify(BODY, headers, SECRET, now=AT)
    assert (event.event, event.event_id, event.session_id) == (
        "session.completed",
        "evt_0",
        "sess_1",
    )
    assert event.session is None


def test_a_signature_is_believed_for_300_seconds() -> None:
    """Either way, because clocks differ; by default it is the clock that is asked."""
    for now in (AT - 300, AT + 300, AT + 0.5):
        webhooks.verify(BODY, _headers(), SECRET, now=now)
    webhooks.verify(BODY, _headers(at=int(time.time())), SECRET)
    with pytest.raises(webhooks.WebhookRefused):
        webhooks.verify(BODY, _headers(), SECRET, now=float("nan"))


def test_while_a_secret_is_replaced_either_is_good() -> None:
    """The receiver knows both until the server has the new one."""
    for secret in (OLD, SECRET):
        webhooks.verify(BODY, _headers(secret=secret), (OLD, SECRET), now=AT)
    with pytest.raises(webhooks.WebhookRefused):
        webhooks.verify(BODY, _headers(), (), now=AT)


@pytest.mark.parametrize("body", [b"\xff", b"[]", b"{}", b"null", b"[" * 100_000])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    """Not an error of another kind."""
    with pytest.raises(webhooks.WebhookRefused):
        webhooks.verify(body, _headers(body), SECRET, now=AT)


def test_what_a_newer_server_says_is_believed() -> None:
    """Another event, and fields that are not known here; a call's object is passed on."""
    body = json.dumps(
        json.loads(BODY) | {"event": "call.moved", "call": {"call_id": "c"}, "more": 1}
    ).encode()
    event = webhooks.verify(body, _headers(body), SECRET, now=AT)
    assert (event.event, event.call) == ("call.moved", {"call_id": "c"})


def test_the_program_of_the_how_to_answers_as_it_says() -> None:
    """docs/how-to/receive-webhooks.md: 204 for an event, once; 400 for a forgery."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "receive-webhooks.md"
    (program,) = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    names: dict[str, Callable[..., int]] = {}
    exec(compile(program, str(page), "exec"), names)  # noqa: S102 - it is what is tested
    receive = names["receive"]
    headers = _headers(at=int(time.time()), secret="0123456789abcdef0123456789abcdef")  # noqa: S106
    assert [receive(BODY, headers) for _ in range(2)] == [204, 204]
    assert receive(FLIPPED, headers) == 400
