"""Every installed adapter of a cloud vendor takes part."""

import pytest

from pairs.vendors import STAGES, VENDORS, installed


@pytest.mark.parametrize("setting", STAGES)
def test_every_adapter_that_talks_to_a_service_is_among_the_pairs(setting: str) -> None:
    """A new entry point with an address among its options fails until it has a vendor here."""
    assert set(VENDORS[setting]) == installed(setting)
