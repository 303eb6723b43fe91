"""Where a server without keys may listen."""

from __future__ import annotations

import pytest

from antiphon_server.security.exposure import check_exposure
from antiphon_server.settings import Settings, SettingsError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_needs_no_key(host: str) -> None:
    """Development mode."""
    for has_keys in (True, False):
        check_exposure(Settings(host=host), has_keys=has_keys)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", "", "0"])  # noqa: S104
def test_any_other_address_needs_one(host: str) -> None:
    """The message says each way out; one of them is enough."""
    check_exposure(Settings(host=host), has_keys=True)
    with pytest.raises(SettingsError) as refused:
        check_exposure(Settings(host=host), has_keys=False)
    for word in (host, "antiphon keys create", "ANTIPHON_API_KEYS", "127.0.0.1"):
        assert word in str(refused.value)
