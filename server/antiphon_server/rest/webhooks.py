"""``/v1/webhook-subscriptions``: who is told what happens to an account's sessions.

Source: voice agent protocol, section 6.5.
"""

from __future__ import annotations

import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Protocol

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest import Fault, ResponseMetadata
from antiphon_protocol.rest_webhooks import (
    WebhookSubscription,
    WebhookSubscriptionChange,
    WebhookSubscriptionList,
    WebhookSubscriptionRequest,
)
from antiphon_server.rest import idempotency
from antiphon_server.rest.access import account
from antiphon_server.rest.answers import answer, nothing
from antiphon_server.rest.bodies import MOST_BYTES, body_of
from antiphon_server.rest.errors import AlreadySubscribed, Invalid, NoSuchAgent, NoSuchSubscription
from antiphon_server.rest.idempotency import Idempotency
from antiphon_server.rest.operations import Operation, Parameter
from antiphon_server.rest.paging import PAGING, page_of, paged, read_paging
from antiphon_server.security.keys import Keys
from antiphon_server.security.outbound_errors import OutboundError
from antiphon_server.security.secrets import Vault
from antiphon_server.store import webhook_subscriptions as store
from antiphon_server.store.database import Database, Work
from antiphon_server.store.tables import webhook_subscriptions
from antiphon_server.store.webhook_subscriptions import Subscription, secret_context

_PATH = "/v1/webhook-subscriptions"
_PRINTABLE = re.compile("[ -~]*")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_INCLUDE_DISABLED = Parameter(
    "include_disabled", bool, "Whether to list disabled subscriptions too; by default not."
)


class CheckUrl(Protocol):
    """``OutboundGuard``, as far as it is used here."""

    async def check_url(self, url: str) -> None:
        """Raises ``OutboundError`` for a URL that may not be asked."""
        ...


class WebhookRoutes:
    """Subscriptions of the account whose key asks."""

    def __init__(
        self,
        keys: Keys,
        database: Database,
        vault: Vault,
        guard: CheckUrl,
        once: Idempotency,
    ) -> None:
        self._keys = keys
        self._database = database
        self._vault = vault
        self._guard = guard
        self._once = once

    def operations(self) -> tuple[Operation, ...]:
        """The five."""
        one, tag = f"{_PATH}/{{id}}", "Webhooks"
        mistakes = (Invalid, NoSuchAgent, AlreadySubscribed)
        return (
            Operation(
                method="POST", path=_PATH, handler=self.create, tag=tag, status=201,
                summary="Subscribe to events", takes=WebhookSubscriptionRequest,
                answers=WebhookSubscription, errors=(*mistakes, *idempotency.ERRORS),
            ),
            Operation(
                method="GET", path=_PATH, handler=self.page, tag=tag, errors=(Invalid,),
                summary="List subscriptions", answers=WebhookSubscriptionList,
                query=(*PAGING, _INCLUDE_DISABLED),
            ),
            Operation(
                method="GET", path=one, handler=self.get, tag=tag,
                summary="Get a subscription", answers=WebhookSubscription,
                errors=(NoSuchSubscription,),
            ),
            Operation(
                method="PATCH", path=one, handler=self.change, tag=tag,
                summary="Change a subscription", takes=WebhookSubscriptionChange,
                answers=WebhookSubscription, errors=(*mistakes, NoSuchSubscription),
            ),
            Operation(
                method="DELETE", path=one, handler=self.delete, tag=tag, status=204,
                summary="Delete a subscription", errors=(NoSuchSubscription,),
            ),
        )  # fmt: skip

    async def create(self, request: Request) -> Response:
        """Raises what ``account``, ``body_of`` and ``Idempotency.once`` raise, ``NoSuchAgent``,
        ``AlreadySubscribed`` and the database's ``Unreachable``.
        """
        owner = await account(self._keys, request, "webhooks")

        async def work() -> Response:
            asked = await body_of(request, WebhookSubscriptionRequest)
            await self._check(asked)
            new = self._new(owner, asked)
            await self._write(lambda connection: store.insert(connection, new))
            return answer(_shown(new), 201)

        return await self._once.once(owner, request, work, MOST_BYTES)

    async def page(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``Invalid`` and ``Unreachable``."""
        owner = await account(self._keys, request, "webhooks")
        paging = read_paging(request)
        query = store.of_account(owner, include_disabled=_flag(request, "include_disabled"))
        wanted = paged(query, webhook_subscriptions, paging)
        rows = await self._database.read(lambda connection: connection.execute(wanted).all())
        rows, has_more, cursor = page_of(rows, paging)
        found = tuple(_shown(store.subscription(row._mapping)) for row in rows)  # noqa: SLF001 - its public name
        return answer(
            WebhookSubscriptionList(
                subscriptions=found,
                has_more=has_more,
                response_metadata=ResponseMetadata(cursor),
            )
        )

    async def get(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``NoSuchSubscription`` and ``Unreachable``."""
        owner = await account(self._keys, request, "webhooks")
        name = request.path_params["id"]
        found = await self._database.read(lambda connection: store.find(connection, owner, name))
        if found is None:
            raise NoSuchSubscription
        return answer(_shown(found))

    async def change(self, request: Request) -> Response:
        """Raises what ``account`` and ``body_of`` raise, ``NoSuchSubscription``,
        ``NoSuchAgent``, ``AlreadySubscribed`` and ``Unreachable``.
        """
        owner = await account(self._keys, request, "webhooks")
        name = request.path_params["id"]
        asked = await body_of(request, WebhookSubscriptionChange)
        await self._check(asked)
        values = self._values(name, asked) | {"updated_at": time.time()}
        changed = await self._write(
            lambda connection: store.change(connection, owner, name, values)
        )
        if changed is None:
            raise NoSuchSubscription
        return answer(_shown(changed))

    async def delete(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``NoSuchSubscription`` and ``Unreachable``."""
        owner = await account(self._keys, request, "webhooks")
        name = request.path_params["id"]
        was_there = await self._database.write(
            lambda connection: store.remove(connection, owner, name)
        )
        if not was_there:
            raise NoSuchSubscription
        return nothing()

    # --- what may be -----------------------------------------------------------------------

    async def _check(self, asked: WebhookSubscriptionRequest | WebhookSubscriptionChange) -> None:
        """Raises ``Invalid`` for what the shape alone does not forbid."""
        faults = []
        if isinstance(asked.events, tuple) and len(set(asked.events)) < len(asked.events):
            faults.append(_fault("events", "Each event may be listed once"))
        if isinstance(asked.secret, str) and not _PRINTABLE.fullmatch(asked.secret):
            faults.append(_fault("secret", "String should have printable ASCII characters only"))
        if isinstance(asked.url, str):
            try:
                await self._guard.check_url(asked.url)
            except OutboundError as wrong:
                faults.append(_fault("url", str(wrong)))
        if faults:
            raise Invalid(tuple(faults))

    async def _write(self, work: Work[Any]) -> Any:
        """Raises what clients are told."""
        try:
            return await self._database.write(work)
        except store.NoSuchAgent:
            raise NoSuchAgent from None
        except store.Duplicate:
            raise AlreadySubscribed from None
        except store.TooMany:
            told = f"An account may have {store.MOST_SUBSCRIPTIONS} webhook subscriptions"
            raise Invalid((Fault("value_error", ("body",), told, None),)) from None

    def _new(self, owner: str, asked: WebhookSubscriptionRequest) -> Subscription:
        name, now = f"whs_{secrets.token_hex(16)}", time.time()
        return Subscription(
            id=name,
            account=owner,
            agent_id=asked.agent_id,
            url=asked.url,
            events=asked.events,
            secret=self._vault.seal(asked.secret.encode(), secret_context(name)),
            enabled=asked.enabled is not False,
            created_at=now,
            updated_at=now,
        )

    def _values(self, name: str, asked: WebhookSubscriptionChange) -> dict[str, Any]:
        """What is to be written: what was given, but null only for the agent."""
        given = {field: getattr(asked, field) for field in asked.__struct_fields__}
        values = {
            field: value
            for field, value in given.items()
            if value is not UNSET and (value is not None or field == "agent_id")
        }
        if "secret" in values:
            values["secret"] = self._vault.seal(values["secret"].encode(), secret_context(name))
        return values


def _shown(one: Subscription) -> WebhookSubscription:
    return WebhookSubscription(
        id=one.id,
        agent_id=one.agent_id,
        url=one.url,
        events=one.events,
        enabled=one.enabled,
        secret_version=one.secret_version,
        created_at=datetime.fromtimestamp(one.created_at, UTC),
        updated_at=datetime.fromtimestamp(one.updated_at, UTC),
    )


def _flag(request: Request, name: str) -> bool:
    """A query parameter that is true or false. Raises ``Invalid``."""
    given = request.query_params.get(name, "false").lower()
    if given not in _FLAGS:
        told = "Input should be a valid boolean, unable to interpret input"
        raise Invalid((Fault("bool_parsing", ("query", name), told, given[:20]),))
    return _FLAGS[given]


def _fault(name: str, told: str) -> Fault:
    return Fault("value_error", ("body", name), told, None)
