"""How commands write."""

import io

import pytest

from antiphon.terminal import BAR, Terminal, bar, figure


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A terminal of 40 columns that has colours."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Screen()


def test_a_pipe_gets_plain_lines() -> None:
    """No colour, nothing that moves; progress is lines."""
    out = io.StringIO()
    terminal = Terminal(out)
    terminal.heading("title", "detail")
    terminal.live("moving")
    terminal.saying("you", "so far")
    terminal.said("you", "done", "cyan")
    terminal.progress("1 of 2")
    assert out.getvalue() == "title  detail\n  you     done\n  1 of 2\n"


def test_a_terminal_gets_colours_and_lines_that_move(screen: Screen) -> None:
    """A line that stays replaces the moving one."""
    terminal = Terminal(screen)
    terminal.progress("1 of 2")
    terminal.line(terminal.paint("done", "green"))
    terminal.line("next")
    assert screen.getvalue() == "\r\x1b[K  1 of 2\r\x1b[K\x1b[32mdone\x1b[0m\nnext\n"


@pytest.mark.parametrize(
    ("name", "value", "moves"), [("NO_COLOR", "1", True), ("TERM", "dumb", False)]
)
def test_wishes_of_the_environment_are_respected(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, name: str, value: str, moves: bool
) -> None:
    """NO_COLOR takes the colours, a dumb terminal the movement too."""
    monkeypatch.setenv(name, value)
    terminal = Terminal(screen)
    assert terminal.paint("x", "red") == "x"
    assert terminal.moves is moves


def test_long_speech_is_wrapped_beside_the_name(screen: Screen) -> None:
    """Nothing reaches beyond the screen."""
    Terminal(screen).said("agent", "word " * 20, "green")
    lines = screen.getvalue().replace("\x1b[32m", "").replace("\x1b[0m", "").splitlines()
    assert len(lines) > 2
    assert all(len(line) <= 40 for line in lines)
    assert all(line.startswith(" " * 10) for line in lines[1:])


def test_words_that_do_not_fit_yet_show_their_end(screen: Screen) -> None:
    """A moving line never wraps: it could not be taken back."""
    Terminal(screen).saying("you", "beginning " + "x" * 60 + " end")
    shown = screen.getvalue().removeprefix("\r\x1b[K")
    assert len(shown) < 40
    assert shown.endswith(" end")
    assert "…" in shown


def test_bars_are_drawn_to_one_scale() -> None:
    """The longest fills the room; eighths of a column are told apart."""
    assert bar(100, 100) == "█" * BAR
    assert bar(50, 100, 4) == "██"
    assert bar(9 / 8, 4, 4) == "█▏"
    assert bar(0, 100) == bar(5, 0) == bar(-1, 5) == ""


def test_rows_of_bars_are_aligned() -> None:
    """Labels to the left, numbers to the right."""
    out = io.StringIO()
    Terminal(out).bars([("a", 1234.4, "bold"), ("longer", 2.25, "dim")])
    first, second = out.getvalue().splitlines()
    assert first.startswith("  a         1,234 ms  █")
    assert second.startswith("  longer      2.2 ms")


def test_tables_are_aligned() -> None:
    """The first column left, the others right; no trailing spaces."""
    out = io.StringIO()
    Terminal(out).table(("name", "n"), [("a", "1"), ("bb", "10")])
    assert out.getvalue() == "  name   n\n  a      1\n  bb    10\n"


def test_numbers_have_the_precision_that_means_something() -> None:
    """Tenths below ten, thousands parted."""
    assert [figure(number) for number in (0.04, 9.94, 10, 1234.6)] == ["0.0", "9.9", "10", "1,235"]
