"""The interface between a session and its wire."""

import inspect

from antiphon_server.call import dialect
from antiphon_server.dialects.voice_agent import VoiceAgent
from antiphon_server.edge.socket import AsgiSocket
from server.call.scripted_call import Line


def _methods(kind: type) -> dict[str, list[str]]:
    return {
        name: [parameter.lstrip("_") for parameter in inspect.signature(method).parameters]
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


def test_the_dialect_fills_the_interface() -> None:
    """Every method, with the same parameters: a session asks for nothing else."""
    has = _methods(VoiceAgent)
    for name, parameters in _methods(dialect.Dialect).items():
        assert has[name] == parameters


def test_every_socket_fills_the_interface() -> None:
    """The real one and that of these tests."""
    for socket in (AsgiSocket, Line):
        has = _methods(socket)
        for name, parameters in _methods(dialect.Socket).items():
            assert has[name] == parameters
