"""What the REST API can do, one ``Operation`` each: the router and the OpenAPI document read them.

A module of resources gives a tuple of operations; ``rest.api`` joins them.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from antiphon_server.rest.answers import Handler
from antiphon_server.rest.errors import RestError

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Parameter(Struct, frozen=True):
    """A query parameter: its name, its type (with ranges as ``msgspec.Meta``), what it means."""

    name: str
    kind: Any
    description: str
    required: bool = False


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one path. ``{name}`` in the path is ``request.path_params[name]``."""

    method: Method
    path: str
    handler: Handler
    summary: str
    tag: str
    """Under which heading of the document it stands."""
    answers: type[msgspec.Struct] | None = None
    """The body of a success; None: no body, or one of ``media``."""
    media: tuple[str, ...] = ()
    """Media types of a success that is no struct."""
    status: int = 200
    other_statuses: tuple[int, ...] = ()
    """Further statuses of a success."""
    takes: type[msgspec.Struct] | None = None
    """The body of the request."""
    takes_null: bool = False
    """Whether null is such a body too."""
    query: tuple[Parameter, ...] = ()
    errors: tuple[type[RestError], ...] = ()
    """Beside those that every operation may answer."""
    refusals: tuple[tuple[int, type[msgspec.Struct]], ...] = ()
    """Bodies of errors that are not in the envelope, by status: then all of them are here."""
    public: bool = False
    """Whether it needs no credential (a signed link is one)."""
