"""Why a request of ours to somebody else's address did not succeed.

OutboundError
├── UnsafeUrl         may not be asked, now or later: says what is wrong with the URL
├── Unresolved        its name has no address now
├── OutboundTooSlow   did not answer within its deadline
├── OutboundTooLarge  the head of its answer is larger than is read
└── OutboundFailed    no connection, or one that broke off, or not HTTP

Messages are for whoever wrote the URL: they name the host as it was written and never an
address it has, because that may be one of the operator's own network.
"""

from __future__ import annotations


class OutboundError(Exception):
    """Any failure of a request that leaves this server."""


class UnsafeUrl(OutboundError):
    """Not a URL that the server asks for others."""


class Unresolved(OutboundError):
    """The name in the URL does not resolve."""


class OutboundTooSlow(OutboundError):
    """The answer did not come in time."""


class OutboundTooLarge(OutboundError):
    """The answer is larger than is read."""


class OutboundFailed(OutboundError):
    """There was no connection, or no answer that could be understood."""
