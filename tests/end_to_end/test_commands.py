"""The commands a user types against a running server."""

from __future__ import annotations

import json
from pathlib import Path

from antiphon.sound import first_audible
from antiphon.wav import read_wav, write_wav
from antiphon_loadtest.words import error_rate
from antiphon_protocol.audio import PCM
from antiphon_providers.contract.human_speech import clip
from end_to_end.product import LOADTEST, Talked, antiphon, is_quiet, run, to_say, wav_folder
from hostile.serving import Server

STAGES = (
    "endpointing",
    "voice activity",
    "speech to text",
    "turn detection",
    "language model first token",
    "text to speech first audio",
    "server overhead",
    "response, as heard",
)


def test_talk_shows_the_conversation_and_where_the_time_went(talked: Talked) -> None:
    """Without arguments: a clip of human speech, its transcript, the answer, every stage."""
    done = talked.done
    assert (done.returncode, is_quiet(done.stderr)) == (0, True), done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    (heard,) = [line.removeprefix("you ") for line in lines if line.startswith("you ")]
    assert error_rate("It was the best of times, it was the worst of times", heard) <= 0.2
    assert any(line.startswith("agent ") for line in lines)
    for stage in STAGES:
        assert any(line.startswith(stage) and " ms" in line for line in lines), stage


def test_talk_writes_the_answer_to_a_file(talked: Talked) -> None:
    """A WAV of more than a second that is not silence."""
    assert str(talked.recording) in talked.done.stdout
    pcm = read_wav(talked.recording, PCM.rate)
    assert PCM.ms(len(pcm)) > 1000
    assert first_audible(pcm) is not None


def test_talk_speaks_a_file_and_reports_in_json(server: Server, tmp_path: Path) -> None:
    """One object on standard output, the conversation on standard error."""
    speech = to_say(clip("foolishness"))
    question = tmp_path / "question.wav"
    write_wav(question, speech.pcm, PCM.rate)
    done = antiphon("talk", str(question), "--json", "--url", server.ws, "--encoding", "pcmu")
    assert (done.returncode, is_quiet(done.stderr)) == (0, True), done.stderr
    report = json.loads(done.stdout)
    (turn,) = report["turns"]
    assert (report["error"], turn["clip"]) == (None, "question.wav")
    assert error_rate(speech.text or "", turn["transcript"]) <= 0.2
    assert turn["reply"]
    assert turn["answered"]
    # The server's account adds up. The caller's own figure begins where the recording falls
    # silent, not where the voice activity model says so: the two agree, but not to the window.
    assert 0 < turn["stages"]["endpointing"] < turn["stages"]["response"]
    assert abs(turn["response_ms"] - turn["stages"]["response"]) < 250
    assert turn["providers"]["speech_to_text"] == "moonshine"


def test_the_benchmark_measures_without_objectives(server: Server, tmp_path: Path) -> None:
    """Two turns: exit code 0, a table, and every number in a file."""
    clips = wav_folder(tmp_path, [clip("best"), clip("worst")])
    report = tmp_path / "report.json"
    done = run(
        *LOADTEST, "response", "--turns", "2", "--url", server.ws,
        "--clips", str(clips), "--json", str(report),
    )  # fmt: skip
    assert (done.returncode, is_quiet(done.stderr)) == (0, True), done.stdout + done.stderr
    written = json.loads(report.read_text("utf-8"))
    assert (written["unanswered"], len(written["turns"])) == (0, 2)
    assert written["word_error_rate"] <= 0.2
    assert written["summary"]["server_overhead"]["count"] == 2


def test_eight_callers_at_once_get_their_own_words(server: Server, tmp_path: Path) -> None:
    """Eight people say different things at the same time: everybody is answered, nobody is given
    words that only another said, and each is understood.
    """
    names = (
        "best", "worst", "wisdom", "belief", "incredulity", "darkness", "despair", "everything",
    )  # fmt: skip
    clips = wav_folder(tmp_path, [clip(name) for name in names])
    done = run(
        *LOADTEST, "callers", "--n", "8", "--clips", str(clips), "--url", server.ws, "--json", "-"
    )
    assert (done.returncode, is_quiet(done.stderr)) == (0, True), done.stdout + done.stderr
    callers = json.loads(done.stdout)["callers"]
    assert sorted(one["clip"] for one in callers) == sorted(f"{name}.wav" for name in names)
    assert all(one["answered"] and one["leak"] is one["failure"] is None for one in callers), (
        callers
    )
    assert sum(one["rate"] for one in callers) / 8 <= 0.2, callers
    assert max(one["rate"] for one in callers) <= 0.5, callers
