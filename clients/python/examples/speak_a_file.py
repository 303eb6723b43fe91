"""Speaks a recording to the agent and writes the answer to a file.

python speak_a_file.py QUESTION.wav ANSWER.wav [URL]
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import antiphon
from antiphon.caller import Caller
from antiphon.clips import read_clip
from antiphon.wav import write_wav


async def main(question: Path, answer: Path, url: str) -> None:
    """One turn, at the pace of a person."""
    clip = read_clip(question)
    async with (
        antiphon.connect(url, system_prompt="Be brief.") as call,
        Caller(call, keeps_sound=True) as caller,
    ):
        turn = await caller.converse(clip)
        print("heard:   ", turn.transcript)
        print("answered:", turn.reply_text)
        if turn.response_ms is not None:
            print(f"after:    {turn.response_ms:.0f} ms")
        sound = b"".join(reply.pcm for reply in turn.replies)
        write_wav(answer, sound, call.output_encoding.rate)


if __name__ == "__main__":
    _, question_file, answer_file, *where = sys.argv
    address = where[0] if where else "ws://127.0.0.1:8400"
    asyncio.run(main(Path(question_file), Path(answer_file), address))
