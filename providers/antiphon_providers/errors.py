"""What can go wrong with a provider, by what the server may do about it.

ProviderError
├── Unavailable   cannot be reached, or said it cannot serve now: another may
├── Refused       will not serve this request: wrong key, unknown model or voice
├── TooSlow       said nothing for too long: another may be faster
├── Malformed     answered with something that is not an answer
└── NotInstalled  a package or file it needs is missing: says which, and what to do
"""

from __future__ import annotations

SESSION_EXPIRED = "session_expired"
"""The ``provider_code`` of a stream whose time was over: nothing failed, another can be opened.
"""


class ProviderError(Exception):
    """Any failure of a provider.

    ``status_code`` and ``provider_code`` are the vendor's own, where it gave some;
    ``retryable`` tells whether asking again may work, and ``retry_after_s`` in how many seconds
    the vendor wants to be asked again, where it said so.
    """

    code = "provider_error"
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        status_code: int | None = None,
        provider_code: str | None = None,
        provider_param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.status_code = status_code
        self.provider_code = provider_code
        self.provider_param = provider_param
        self.retry_after_s = retry_after_s


class Unavailable(ProviderError):
    """Cannot be reached, or said that it cannot serve now."""

    code = "provider_unavailable"


class Refused(ProviderError):
    """Will not serve this request, now or later."""

    code = "provider_refused"
    retryable = False


class TooSlow(ProviderError):
    """Made no progress within its deadline."""

    code = "provider_timeout"


class Malformed(ProviderError):
    """Answered with something that is not an answer."""

    code = "provider_malformed"


class NotInstalled(ProviderError):
    """Needs a package or a file that is not there."""

    code = "provider_not_installed"
    retryable = False
