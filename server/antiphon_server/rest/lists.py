"""The lists clients ask for: the voices, and collections that are empty on this server.

Source: voice agent protocol, section 6.7: clients that list them first can run.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest import (
    PAGE_LENGTHS,
    BuiltinToolList,
    CallList,
    Fault,
    PhoneNumberList,
    WebhookSubscriptionList,
    catalogue,
)
from antiphon_server.rest.access import account
from antiphon_server.rest.answers import Handler, answer
from antiphon_server.rest.errors import Invalid
from antiphon_server.rest.fields import integer
from antiphon_server.security.keys import Keys


def lists(keys: Keys) -> dict[str, Handler]:
    """The handler of each path's ``GET``."""
    return {
        "/v1/voices": _always(keys, catalogue()),
        "/v1/builtin-tools": _always(keys, BuiltinToolList()),
        "/v1/calls": _always(keys, CallList()),
        "/v1/phone-numbers": _always(keys, PhoneNumberList()),
        "/v1/webhook-subscriptions": _always(keys, WebhookSubscriptionList()),
    }


def _always(keys: Keys, body: msgspec.Struct) -> Handler:
    async def handler(request: Request) -> Response:
        account(keys, request)
        if "limit" in request.query_params:
            read = integer(request.query_params["limit"], ("query", "limit"), PAGE_LENGTHS)
            if isinstance(read, Fault):
                raise Invalid((read,))
        return answer(body)

    return handler
