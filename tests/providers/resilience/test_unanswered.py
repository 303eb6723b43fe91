"""What was said and not answered is kept to be said again, within bounds."""

from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.resilience.unanswered import Unanswered


class Listener:
    """A stream that writes down what it is told, cut at the flushes."""

    def __init__(self) -> None:
        self.segments = [b""]

    def feed(self, pcm: bytes) -> None:
        """More of the segment."""
        self.segments[-1] += pcm

    def flush(self) -> None:
        """The next segment."""
        self.segments.append(b"")

    def __aiter__(self) -> "Listener":
        """Nothing is asked of it."""
        return self


def told(unanswered: Unanswered) -> list[bytes]:
    """What another would be told, segment by segment."""
    listener = Listener()
    unanswered.replay(listener)  # type: ignore[arg-type]
    return listener.segments


def test_a_new_one_is_a_boundary() -> None:
    """There is nothing to tell, and nothing to answer."""
    unanswered = Unanswered()
    assert (unanswered.is_empty, unanswered.pending, unanswered.answered()) == (True, 0, None)


@given(
    st.lists(st.one_of(st.binary(min_size=1, max_size=4000), st.just("flush"), st.just("answer")))
)
def test_exactly_what_is_not_answered_is_told_again(history: list[bytes | str]) -> None:
    """Segment by segment, whatever came before."""
    unanswered, expected = Unanswered(), [b""]
    for number, step in enumerate(history):
        if step == "flush":
            unanswered.flush(float(number))
            expected.append(b"")
        elif step == "answer":
            was_asked = len(expected) > 1
            assert (unanswered.answered() is not None) == was_asked
            expected = expected[1:] if was_asked else expected
        elif isinstance(step, bytes):
            unanswered.feed(step)
            expected[-1] += step
    assert told(unanswered) == expected
    assert unanswered.pending == len(expected) - 1
    assert unanswered.is_empty == (expected == [b""])


def test_the_answer_tells_when_it_was_asked_for() -> None:
    """The oldest first."""
    unanswered = Unanswered()
    unanswered.flush(1.0)
    unanswered.flush(2.0)
    assert (unanswered.answered(), unanswered.answered()) == (1.0, 2.0)


def test_the_oldest_audio_is_forgotten_and_no_flush_is() -> None:
    """In whole samples, so that what follows is not noise; a segment without audio still is."""
    unanswered = Unanswered(remembered_ms=1)
    unanswered.feed(bytes(range(20)))
    unanswered.flush(0.0)
    unanswered.feed(bytes(range(100, 121)))
    segments = told(unanswered)
    assert segments == [bytes(range(10, 20)), bytes(range(100, 121))]
    unanswered.feed(bytes(40))
    assert told(unanswered)[0] == b""
    assert unanswered.pending == 1
    assert sum(map(len, told(unanswered))) <= 32
