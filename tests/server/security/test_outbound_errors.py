"""The tree of outbound errors."""

import inspect

from antiphon_server.security import outbound_errors
from antiphon_server.security.outbound_errors import OutboundError


def test_every_failure_is_an_outbound_error() -> None:
    """Whoever asks needs to catch one class only."""
    kinds = [kind for _, kind in inspect.getmembers(outbound_errors, inspect.isclass)]
    assert len(kinds) == 6
    assert all(issubclass(kind, OutboundError) for kind in kinds)


def test_the_drawing_names_every_kind() -> None:
    """The tree at the top of the module is complete."""
    drawn = outbound_errors.__doc__ or ""
    for name, _ in inspect.getmembers(outbound_errors, inspect.isclass):
        assert name in drawn
