"""``/v1/console/keys``: the keys of the server, for operators, as ``antiphon keys`` has them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest import Fault
from antiphon_protocol.rest_console import ConsoleKey, ConsoleKeys, CreatedKey, KeyRequest
from antiphon_server import keys_options as options
from antiphon_server.keys_report import date
from antiphon_server.rest.access import admitted
from antiphon_server.rest.answers import answer, nothing
from antiphon_server.rest.bodies import body_of
from antiphon_server.rest.errors import Invalid, KeysDoNotFit, NoSuchKey
from antiphon_server.rest.fields import shown
from antiphon_server.rest.operations import Operation
from antiphon_server.security import key_text
from antiphon_server.security.admission import ALL_SCOPES, SCOPES, Scope
from antiphon_server.security.keys import Keys
from antiphon_server.store import keys as rows
from antiphon_server.store.database import Database
from antiphon_server.store.keys import StoredKey

log = structlog.get_logger()

PATH = "/v1/console/keys"


class ConsoleKeyRoutes:
    """All keys, of all accounts. ``pepper`` is the server's."""

    def __init__(self, keys: Keys, database: Database, pepper: bytes) -> None:
        self._keys = keys
        self._database = database
        self._pepper = pepper

    def operations(self) -> tuple[Operation, ...]:
        """List, create, revoke."""
        return (
            Operation(
                method="GET", path=PATH, handler=self.list, tag="Console",
                summary="List the server's keys", answers=ConsoleKeys,
            ),
            Operation(
                method="POST", path=PATH, handler=self.create, tag="Console", status=201,
                summary="Create a key", takes=KeyRequest, answers=CreatedKey,
                errors=(Invalid, KeysDoNotFit),
            ),
            Operation(
                method="DELETE", path=f"{PATH}/{{id}}", handler=self.revoke, tag="Console",
                summary="End a key and its tokens", status=204, errors=(NoSuchKey,),
            ),
        )  # fmt: skip

    async def list(self, request: Request) -> Response:
        """Raises what ``admitted`` raises, and ``Unreachable``."""
        await admitted(self._keys, request, "operator")
        found = await self._database.read(rows.every)
        return answer(ConsoleKeys(tuple(map(_told, found))))

    async def create(self, request: Request) -> Response:
        """Raises what ``admitted`` and ``body_of`` raise, ``Invalid``, ``KeysDoNotFit`` and
        ``Unreachable``.
        """
        operator = await admitted(self._keys, request, "operator")
        wanted = await body_of(request, KeyRequest)
        key_id, text = key_text.new_key()
        key = _key(wanted, key_id, key_text.digest(self._pepper, text))
        try:
            await self._database.write(lambda connection: rows.insert_beside(connection, key))
        except rows.OtherPepper as others:
            raise KeysDoNotFit(str(others)) from None
        log.info("key created", key=operator.key_id, created=key.id, account=key.account)
        return answer(CreatedKey(key=text, created=_told(key)), 201)

    async def revoke(self, request: Request) -> Response:
        """Also of one that was revoked before. Raises what ``admitted`` raises, ``NoSuchKey``
        and ``Unreachable``.
        """
        operator = await admitted(self._keys, request, "operator")
        key_id, now = request.path_params["id"], time.time()
        found = await self._database.write(lambda connection: rows.revoke(connection, key_id, now))
        if found is None:
            raise NoSuchKey
        log.info("key revoked", key=operator.key_id, revoked=found.id)
        return nothing()


def _key(wanted: KeyRequest, key_id: str, digest: bytes) -> StoredKey:
    """What is to be kept. Raises ``Invalid``, with everything that is wrong."""
    faults: list[Fault] = []

    def checked(check: Callable[[str], str], text: str, *place: str | int) -> str:
        try:
            return check(text)
        except argparse.ArgumentTypeError as wrong:
            faults.append(Fault("value_error", ("body", *place), str(wrong), shown(text)))
            return text

    def scope(text: str) -> str:
        if text not in ALL_SCOPES:
            raise argparse.ArgumentTypeError(f"Input should be one of {', '.join(ALL_SCOPES)}")
        return text

    name = checked(options.name, wanted.name, "name")
    account = checked(options.account, wanted.account, "account")
    given = [
        checked(scope, text, "scopes", place) for place, text in enumerate(wanted.scopes or SCOPES)
    ]
    origins = [
        checked(options.origin, text, "origins", place) for place, text in enumerate(wanted.origins)
    ]
    if faults:
        raise Invalid(tuple(faults))
    scopes: tuple[Scope, ...] = tuple(known for known in ALL_SCOPES if known in given)
    now = time.time()
    ends = wanted.expires_in_seconds
    return StoredKey(
        id=key_id,
        account=account,
        name=name,
        digest=digest,
        scopes=scopes,
        origins=tuple(dict.fromkeys(origins)),
        max_sessions=wanted.max_sessions,
        sessions_per_minute=wanted.sessions_per_minute,
        created_at=now,
        expires_at=None if ends is None else now + ends,
    )


def _told(key: StoredKey) -> ConsoleKey:
    return ConsoleKey(
        id=key.id,
        account=key.account,
        name=key.name,
        scopes=key.scopes,
        origins=key.origins,
        max_sessions=key.max_sessions,
        sessions_per_minute=key.sessions_per_minute,
        created_at=date(key.created_at),
        expires_at=_date(key.expires_at),
        last_used_at=_date(key.last_used_at),
        revoked_at=_date(key.revoked_at),
    )


def _date(at: float | None) -> datetime | None:
    return None if at is None else date(at)
