"""The lists clients ask for: the voices, and collections that are empty on this server.

Source: voice agent protocol, section 6.7: clients that list them first can run.
"""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest import (
    PAGE_LENGTHS,
    BuiltinToolList,
    CallList,
    Fault,
    PhoneNumberList,
    catalogue,
)
from antiphon_server.rest.access import account
from antiphon_server.rest.answers import answer
from antiphon_server.rest.errors import Invalid, NoSuchCall, NoSuchNumber, RestError
from antiphon_server.rest.fields import integer
from antiphon_server.rest.operations import Operation
from antiphon_server.rest.paging import PAGING
from antiphon_server.security.keys import Keys


class ListRoutes:
    """Lists that are the same whoever asks."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def operations(self) -> tuple[Operation, ...]:
        """A ``GET`` for each."""
        return (
            self._list("/v1/voices", "List the voices", catalogue()),
            self._list("/v1/builtin-tools", "List the platform's tools", BuiltinToolList()),
            self._page("/v1/calls", "List telephone calls", CallList()),
            self._page("/v1/phone-numbers", "List telephone numbers", PhoneNumberList()),
            self._none("/v1/calls/{call_id}", "Read a telephone call", NoSuchCall),
            self._none("/v1/phone-numbers/{number}", "Read a telephone number", NoSuchNumber),
        )

    def _list(self, path: str, summary: str, body: Struct) -> Operation:
        """A list in one piece."""

        async def handler(request: Request) -> Response:
            await account(self._keys, request, None)
            return answer(body)

        return Operation(
            method="GET", path=path, handler=handler, summary=summary, tag="Lists",
            answers=type(body),
        )  # fmt: skip

    def _none(self, path: str, summary: str, missing: type[RestError]) -> Operation:
        """One of a collection in which there is none."""

        async def handler(request: Request) -> Response:
            await account(self._keys, request, None)
            raise missing

        return Operation(
            method="GET", path=path, handler=handler, summary=summary, tag="Lists",
            answers=None, errors=(missing,),
        )  # fmt: skip

    def _page(self, path: str, summary: str, body: Struct) -> Operation:
        """The first and last page of a collection."""

        async def handler(request: Request) -> Response:
            await account(self._keys, request, None)
            if "limit" in request.query_params:
                read = integer(request.query_params["limit"], ("query", "limit"), PAGE_LENGTHS)
                if isinstance(read, Fault):
                    raise Invalid((read,))
            return answer(body)

        return Operation(
            method="GET", path=path, handler=handler, summary=summary, tag="Lists",
            answers=type(body), query=PAGING, errors=(Invalid,),
        )  # fmt: skip
