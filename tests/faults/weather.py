"""The twenty faults, as they befall the way to one vendor.

A fault that keeps connections from standing breaks those that stand. The others let a
connection begin well, and befall it after so many messages.
"""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from typing import Literal, get_args

from faults.lines import Line, Road
from faults.network import Network
from faults.units import Cutter, Unit

Fault = Literal[
    "refused",
    "dns failure",
    "tls failure",
    "connect hang",
    "401",
    "408",
    "429",
    "429 retry-after",
    "500",
    "503",
    "slow first byte",
    "slow stream",
    "cut in the middle",
    "reset",
    "garbage",
    "truncated utf-8",
    "wrong content type",
    "endless stream",
    "empty 200",
    "duplicate events",
    "half-open",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)

_TRICKLE_S = 1.5
"""Between two messages of a slow stream."""
_ENDLESS_S = 0.01
_CONNECTING = {
    "refused": ConnectionRefusedError(111, "Connection refused"),
    "dns failure": socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    "tls failure": ssl.SSLCertVerificationError(1, "certificate verify failed"),
}
_JSON = "content-type: application/json"
_ANSWERS: dict[Fault, tuple[str, bytes, str]] = {
    "401": ("401 Unauthorized", b'{"error": {"message": "Incorrect API key"}}', _JSON),
    "408": ("408 Request Timeout", b"", _JSON),
    "429": ("429 Too Many Requests", b'{"error": {"message": "Slow down"}}', _JSON),
    "429 retry-after": ("429 Too Many Requests", b"{}", f"{_JSON}\r\nretry-after: 20"),
    "500": ("500 Internal Server Error", b"oops", "content-type: text/plain"),
    "503": ("503 Service Unavailable", b"<html>busy</html>", "content-type: text/html"),
    "wrong content type": ("200 OK", b"<html>Log in first</html>", "content-type: text/html"),
    "empty 200": ("200 OK", b"", "content-type: text/event-stream"),
}


class Weather:
    """How it is on the way to one port: fair, or of one fault."""

    def __init__(self, network: Network, port: int, seed: str) -> None:
        self.fault: Fault | None = None
        self.dice = random.Random(seed)  # noqa: S311
        self.spared = 0
        """Messages of each connection that come through unharmed."""
        self.slow_s = 0.0
        self._network = network
        self._port = port
        network.roads[port] = lambda: _Way(self)

    def befall(self, fault: Fault) -> None:
        """From now on."""
        self.fault = fault
        self.spared = self.dice.randint(0, 4)
        self.slow_s = self.dice.choice((2.0, 4.0, 12.0))
        for line in self._lines():
            assert isinstance(line.road, _Way)
            line.road.since(line)

    def clear(self) -> None:
        """Fair again; who waits for an answer waits on."""
        self.fault = None

    @property
    def attempts(self) -> list[float]:
        """When somebody connected."""
        return [at for at, port in self._network.asked if port == self._port]

    def _lines(self) -> list[Line]:
        return [line for port, line in self._network.lines if port == self._port]


class _Way(Road):
    def __init__(self, weather: Weather) -> None:
        self._weather = weather
        self._cutter = Cutter()
        self._spared = weather.spared
        self._slow_until = 0.0
        self._first = True
        self._request = b""
        self._is_dead = False
        self._endless: asyncio.TimerHandle | None = None

    async def connects(self) -> None:
        """Raises what the fault is."""
        fault = self._weather.fault
        if fault in _CONNECTING:
            await asyncio.sleep(0.02)
            raise _CONNECTING[fault]
        if fault == "connect hang":
            await asyncio.Event().wait()
        await super().connects()

    def since(self, line: Line) -> None:
        """The fault befell a connection that stands."""
        self._spared, self._first = self._weather.spared, True
        fault = self._weather.fault
        if fault in _CONNECTING or fault in _ANSWERS or fault == "connect hang":
            self._break(line)

    def _break(self, line: Line) -> None:
        self._is_dead = True
        line.reset()

    def up(self, line: Line, data: bytes) -> None:
        """To the server, or answered in its place."""
        fault = self._weather.fault
        if self._is_dead:
            return
        if fault in _ANSWERS:
            self._answer(line, data, fault)
        elif not (fault == "half-open" and self._spared < 0):
            super().up(line, data)

    def _answer(self, line: Line, data: bytes, fault: Fault) -> None:
        self._request += data
        if b"\r\n\r\n" in self._request:
            self._is_dead = True
            status, body, fields = _ANSWERS[fault]
            head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{fields}\r\n\r\n"
            line.carry(line.client, head.encode() + body)
            line.carry(line.client, None, 0.01)

    def down(self, line: Line, data: bytes) -> None:
        """To the client, as the fault lets it."""
        for unit in self._cutter.feed(data):
            if not self._is_dead:
                self._pass(line, unit)

    def _pass(self, line: Line, unit: Unit) -> None:
        fault = self._weather.fault
        if fault == "slow first byte" and self._first:
            self._first = False
            line.carry(line.client, unit.raw, self._weather.slow_s)
            return
        if unit.is_data and fault is not None:
            self._spared -= 1
        if self._spared < 0 and (unit.is_data or fault == "half-open") and fault is not None:
            self._harm(line, unit, fault)
        else:
            line.carry(line.client, unit.raw)

    def _harm(self, line: Line, unit: Unit, fault: Fault) -> None:
        carry, raw = line.carry, unit.raw
        match fault:
            case "slow stream":
                now = asyncio.get_running_loop().time()
                self._slow_until = max(now, self._slow_until) + _TRICKLE_S
                carry(line.client, raw, self._slow_until - now)
            case "cut in the middle":
                carry(line.client, raw[: len(raw) // 2])
                carry(line.client, None)
                self._is_dead = True
            case "reset":
                self._break(line)
            case "garbage":
                noise = self._weather.dice.randbytes(len(unit.payload))
                framed = self._weather.dice.random() < 0.5
                carry(line.client, unit.with_payload(noise) if framed else noise)
            case "truncated utf-8":
                half = unit.payload[: len(unit.payload) // 2] + "€".encode()[:2]
                carry(line.client, unit.with_payload(half))
            case "endless stream":
                self._repeat(line, raw)
                self._is_dead = True
            case "duplicate events":
                carry(line.client, raw + raw)
            case "half-open":
                pass
            case _:
                carry(line.client, raw)

    def _repeat(self, line: Line, raw: bytes) -> None:
        if line.client.is_closing():
            return
        if line.client.is_reading():
            line.carry(line.client, raw)
        asyncio.get_running_loop().call_later(_ENDLESS_S, self._repeat, line, raw)
