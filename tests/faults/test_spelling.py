"""A sound that the fakes make can be read again."""

from faults.spelling import SECOND, read, sung


def test_what_is_sung_can_be_read() -> None:
    """Whoever sings it, with silence between, and without the character that was cut."""
    text = "The 2nd model, it says!"
    assert read(sung(text)) == read(sung(text, by=SECOND)) == text
    cut = sung("Hello")[:-1000] + bytes(480) + sung(" again", by=SECOND)
    assert read(cut) == "Hell again"
    assert read(b"") == read(bytes(9600)) == ""
