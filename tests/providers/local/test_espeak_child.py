"""The program that speaks with espeak-ng, over its pipes."""

import io
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest

from antiphon_providers.local.espeak import library_and_data
from antiphon_providers.local.espeak_child import HEAD, Order, read

HELLO = Order("Hello there, my friend.", "en-us", 165, 50)


class Program:
    """The running program."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "antiphon_providers.local.espeak_child",
                *map(str, library_and_data()),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def send(self, kind: bytes, number: int, order: Order | None = None) -> None:
        """Writes a message."""
        content = msgspec.json.encode(order) if order else b""
        assert self.process.stdin is not None
        self.process.stdin.write(HEAD.pack(kind, number, len(content)) + content)
        self.process.stdin.flush()

    def answer(self) -> tuple[bytes, int, bytes]:
        """The next message."""
        assert self.process.stdout is not None
        message = read(self.process.stdout)
        assert message is not None
        return message

    def until_end(self) -> list[tuple[bytes, int, bytes]]:
        """All messages up to an end or a failure."""
        messages = [self.answer()]
        while messages[-1][0] not in b"EF":
            messages.append(self.answer())
        return messages


@pytest.fixture
def program() -> Iterator[Program]:
    """One that is ready."""
    running = Program()
    assert running.answer() == (b"R", 22_050, b"")
    yield running
    running.process.communicate()


def test_speaks_and_tells_where_words_begin(program: Program) -> None:
    """Sound and words come before the end, all with the utterance's number."""
    program.send(b"S", 7, HELLO)
    messages = program.until_end()
    assert {number for _, number, _ in messages} == {7}
    assert messages[-1][0] == b"E"
    sound = b"".join(content for kind, _, content in messages if kind == b"P")
    assert 1.0 < len(sound) / 2 / 22_050 < 3.0
    words = [msgspec.json.decode(content) for kind, _, content in messages if kind == b"W"]
    assert next(letter for word in words for letter, _ in word) == 0


def test_what_is_stopped_before_its_turn_is_not_spoken(program: Program) -> None:
    """Its neighbours are."""
    program.send(b"X", 2)
    for number in (1, 2, 3):
        program.send(b"S", number, HELLO)
    assert {number for _, number, _ in program.until_end() + program.until_end()} == {1, 3}


def test_a_voice_that_it_lacks_is_told(program: Program) -> None:
    """And it goes on."""
    program.send(b"S", 1, Order("Hello.", "xx-none", 165, 50))
    (kind, _, text) = program.until_end()[-1]
    assert kind == b"F"
    assert b"xx-none" in text
    program.send(b"S", 2, HELLO)
    assert program.until_end()[-1][0] == b"E"


def test_ends_with_its_input() -> None:
    """No program is left behind when the server is gone."""
    running = Program()
    running.answer()
    running.process.communicate()
    assert running.process.returncode == 0


def test_ends_with_an_error_where_there_is_no_library() -> None:
    """The error goes to its standard error."""
    result = subprocess.run(
        [sys.executable, "-m", "antiphon_providers.local.espeak_child", "/none.so", "/none"],
        capture_output=True,
        check=False,
    )
    assert result.returncode == 1
    assert b"none.so" in result.stderr


def test_a_message_cut_short_is_the_end() -> None:
    """Half a head is no message."""
    assert read(io.BytesIO(b"S\0\0")) is None
