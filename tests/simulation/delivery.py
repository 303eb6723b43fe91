"""What reaches the client over all its sockets."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET

from antiphon_protocol import voice_agent as wire
from simulation.network import Link
from simulation.watch import Watch


def number_of(message: wire.FromServer) -> int | None:
    """The number of an event that has one."""
    seq = getattr(message, "seq", UNSET)
    return None if seq is UNSET else int(seq)


class Delivery:
    """The client's side: what arrives over all sockets, each numbered frame counted once."""

    def __init__(self, watch: Watch, is_kept: Callable[[wire.FromServer], bool]) -> None:
        self._watch = watch
        self._is_kept = is_kept
        self.last_seq = 0

    def is_new(self, link: Link, message: wire.FromServer, text: str) -> bool:
        """Whether the client has not got this frame yet."""
        seq = number_of(message)
        if seq is None:
            return True
        if seq <= self.last_seq:
            same = self._is_kept(message)
            self._watch.hold(same, "what comes again is the same", link.number, text)
            return False
        in_turn = self._watch.hold(
            seq == self.last_seq + 1, "nothing is lost on the way", self.last_seq, text
        )
        self.last_seq = seq
        return in_turn
