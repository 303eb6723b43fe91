"""Two accounts on one server: what is of one does not exist for the other (reliability: T16)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from starlette.types import ASGIApp

from antiphon_server.rest.api import Api
from antiphon_server.rest.operations import Operation
from antiphon_server.security.keys import Keys
from server.rest.rest_client import Answer, ask

MINE, THEIRS = "key-of-mine", "key-of-theirs"


class Tenant(NamedTuple):
    """A client with the one key of an account."""

    app: ASGIApp
    key: str
    account: str

    async def ask(self, target: str, *parts: bytes) -> Answer:
        """The answer to ``METHOD /path?query`` with a body in these parts."""
        return await ask(self.app, target, *parts, authorization=self.key)


async def two_accounts(
    operations: Callable[[Keys], Iterable[Operation]],
) -> tuple[Tenant, Tenant]:
    """Clients of two accounts of an API with these operations."""
    keys = Keys((MINE, THEIRS))
    app = Api(operations(keys))
    mine, theirs = [Tenant(app, key, (await keys.owner(key)).account) for key in (MINE, THEIRS)]
    return mine, theirs


async def assert_hidden(theirs: Tenant, target: str, own_id: str, *parts: bytes) -> None:
    """A target with somebody else's id answers ``theirs`` as one that never was: 404, and in the
    same words. ``{}`` in the target is where the id goes.
    """
    unknown = own_id[:-8] + ("0" * 8 if own_id[-8:] != "0" * 8 else "1" * 8)
    foreign = await theirs.ask(target.format(own_id), *parts)
    nothing = await theirs.ask(target.format(unknown), *parts)
    assert foreign.status == nothing.status == 404, (target, foreign.raw)
    bodies = [answer.body | {"request_id": None} for answer in (foreign, nothing)]
    assert bodies[0] == bodies[1]
    assert own_id not in foreign.raw.decode()
