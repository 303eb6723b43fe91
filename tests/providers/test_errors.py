"""What can go wrong with a provider, by what the server may do about it."""

import pytest

from antiphon_providers.errors import (
    Malformed,
    NotInstalled,
    ProviderError,
    Refused,
    TooSlow,
    Unavailable,
)

KINDS: list[type[ProviderError]] = [Unavailable, Refused, TooSlow, Malformed, NotInstalled]


@pytest.mark.parametrize("kind", KINDS)
def test_each_failure_is_a_provider_error(kind: type[ProviderError]) -> None:
    """The server catches one class and looks at what it says."""
    error = kind("no", provider="p", status_code=1, provider_code="c", provider_param="x")
    assert isinstance(error, ProviderError)
    assert (error.message, str(error), error.provider) == ("no", "no", "p")
    assert (error.status_code, error.provider_code, error.provider_param) == (1, "c", "x")


def test_each_kind_has_a_code_of_its_own() -> None:
    """Logs, metrics and clients tell them apart by it."""
    assert len({kind.code for kind in KINDS} | {ProviderError.code}) == 1 + len(KINDS)


def test_asking_again_is_useless_where_the_request_or_the_installation_is_wrong() -> None:
    """And may help everywhere else."""
    assert {kind for kind in KINDS if not kind.retryable} == {Refused, NotInstalled}


def test_what_a_vendor_did_not_say_is_not_made_up() -> None:
    """All but the message may be missing."""
    error = Unavailable("no")
    assert (error.provider, error.status_code) == ("", None)
    assert (error.provider_code, error.provider_param) == (None, None)
