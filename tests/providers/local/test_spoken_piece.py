"""When a piece of speech is worth decoding, and what of its words to believe."""

import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.local.spoken_piece import LONGEST_S, Piece

SECOND = human_speech.RATE * 2


def speech(seconds: float) -> bytes:
    """Human speech, without a pause longer than a stop."""
    return human_speech.clip("authorities").pcm[SECOND // 2 :][: int(seconds * SECOND)]


def test_a_piece_is_looked_at_every_half_second() -> None:
    """Not sooner, and only for new audio."""
    piece = Piece(speech(0.4))
    assert not piece.wants_look(0)
    piece.add(speech(0.2))
    assert piece.wants_look(0)
    assert not piece.wants_look(len(piece.pcm))


def test_who_wants_no_words_before_the_end_looks_in_pauses_only() -> None:
    """The last look is what saves decoding at the end; those before it show words."""
    piece = Piece(speech(2.0))
    assert piece.wants_look(0)
    assert not piece.wants_last_look(0)
    piece.add(human_speech.silence(150))
    assert piece.wants_last_look(0)
    assert not piece.wants_last_look(len(piece.pcm))


def test_a_long_piece_is_looked_at_half_as_often() -> None:
    """After 4 s every second is enough."""
    piece = Piece(speech(2.5) * 2)
    whole = len(piece.pcm)
    piece.add(speech(0.6))
    assert not piece.wants_look(whole)
    piece.add(speech(0.5))
    assert piece.wants_look(whole)


def test_a_pause_is_worth_a_look_at_once_and_one_look_only() -> None:
    """100 ms of quiet after new words; then nothing more is to be heard in quiet."""
    piece = Piece(speech(1.0))
    seen = len(piece.pcm)
    piece.add(human_speech.silence(60))
    assert not piece.wants_look(seen)
    piece.add(human_speech.silence(60))
    assert piece.wants_look(seen)
    assert piece.is_covered_by(len(piece.pcm))
    seen = len(piece.pcm)
    piece.add(human_speech.silence(2000))
    assert piece.is_covered_by(seen)
    assert not piece.wants_look(seen)


def test_new_words_uncover_a_piece() -> None:
    """What was decoded before them is not the whole any more."""
    piece = Piece(speech(1.0) + human_speech.silence(200))
    seen = len(piece.pcm)
    piece.add(speech(0.3))
    assert not piece.is_covered_by(seen)


def test_silence_is_never_decoded() -> None:
    """Neither digital silence nor a still room."""
    for pcm in (b"", human_speech.silence(3000), human_speech.background(3000)):
        piece = Piece(pcm)
        assert piece.is_silent
        assert not piece.wants_look(0)
        assert piece.believable("You") == ""


@pytest.mark.parametrize(
    ("seconds", "words", "believed"),
    [
        (0.3, "You", ""),
        (0.3, "Oh.", ""),
        (0.3, "Yes.", "Yes."),
        (0.3, "Oh no.", "Oh no."),
        (1.0, "You", "You"),
        (1.0, "...", ""),
    ],
)
def test_lone_words_that_the_recogniser_imagines_are_not_believed(
    seconds: float, words: str, believed: str
) -> None:
    """Only in brief sounds, and only those words."""
    assert Piece(speech(seconds)).believable(words) == believed


def test_a_long_piece_is_cut_in_its_quietest_place() -> None:
    """The cut falls into the pause, and nothing is lost."""
    pause = human_speech.silence(300)
    pcm = speech(3) * 3 + pause + speech(3) * 2
    piece = Piece(pcm)
    assert piece.is_too_long
    first, second = piece.cut()
    assert first.pcm + second.pcm == pcm
    begin = len(speech(3) * 3)
    assert begin < len(first.pcm) < begin + len(pause)
    assert second.seconds < LONGEST_S


def test_pieces_of_audio_may_end_within_a_sample() -> None:
    """The levels are those of whole samples."""
    pcm = speech(1.0)
    odd = Piece()
    for at in range(0, len(pcm), 333):
        odd.add(pcm[at : at + 333])
    assert odd.pcm == pcm
    assert odd.wants_look(0) == Piece(pcm).wants_look(0)
