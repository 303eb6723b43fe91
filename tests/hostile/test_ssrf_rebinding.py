"""Name servers that change their minds: whatever they say, no private address is connected to."""

import random
from collections.abc import Iterator, Sequence
from ipaddress import ip_address

import pytest

from antiphon_server.security.addresses import is_public
from hostile.ssrf import Sockets, canaries, entrances
from hostile.url_forms import INSIDE

PUBLIC = ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111"]
REBINDINGS = 200


class Fickle:
    """A name server of an attacker: each answer is its own, by seed; ``answers`` has them all."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret.
        self._turns = self._plan()
        self.answers: list[list[str]] = []

    def _plan(self) -> Iterator[list[str]]:
        """Public at first, then private, mixed, or public again."""
        yield [self._random.choice(PUBLIC)]
        while True:
            kind = self._random.choice(["inside", "inside", "mixed", "public"])
            inside, public = self._random.choice(INSIDE), self._random.choice(PUBLIC)
            mixed = [inside, public]
            self._random.shuffle(mixed)
            yield {"inside": [inside], "mixed": mixed, "public": [public]}[kind]

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The next answer."""
        del host, port
        self.answers.append(next(self._turns))
        return self.answers[-1]


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Sockets:
    """What is connected to."""
    return Sockets(monkeypatch)


async def test_no_rebinding_wins(sockets: Sockets) -> None:
    """Two hundred name servers, seven requests each: one answer for each connection, and the
    connection goes to an address of that answer, if all of it is public, or nowhere.
    """
    tried = 0
    async with canaries() as birds:
        for seed in range(REBINDINGS):
            fickle = Fickle(seed)
            async with entrances(fickle, port=birds.port) as doors:
                ways = list(doors.ways.values())
                for way in (ways[0], *ways):
                    said, before = len(fickle.answers), len(sockets.connects)
                    await way(f"https://rebind.example:{birds.port}/")
                    tried += 1
                    _check(fickle.answers[said:], sockets.connects[before:], birds.port)
        assert birds.heard == []
        assert sockets.lookups == []
    assert tried == REBINDINGS * 7
    assert len(sockets.connects) >= REBINDINGS


def _check(answers: list[list[str]], connects: list[tuple[str, int]], port: int) -> None:
    """Every connection was to a public address out of an answer without any other."""
    allowed = {
        (address, port)
        for answer in answers
        if all(is_public(ip_address(one)) for one in answer)
        for address in answer
    }
    assert set(connects) <= allowed
    assert len(connects) <= sum(map(len, answers))


async def test_a_url_that_was_public_when_it_was_stored_is_judged_again(sockets: Sockets) -> None:
    """The classic: validated, then rebound before the request."""

    class Rebound:
        """Public once, then this machine."""

        def __init__(self) -> None:
            self.asked = 0

        async def __call__(self, host: str, port: int) -> Sequence[str]:
            """The answer."""
            del host, port
            self.asked += 1
            return ["93.184.215.14"] if self.asked == 1 else ["127.0.0.1"]

    async with canaries() as birds:
        for way in ("fetch", "transport", "http_tool", "own_model", "webhook"):
            async with entrances(Rebound(), port=birds.port) as doors:
                url = f"https://rebind.example:{birds.port}/"
                assert await doors.check(url)
                assert not await doors.ways[way](url)
        assert (sockets.connects, birds.heard) == ([], [])
