"""A process that records itself in real time until it is killed: `FOLDER [MOST BYTES OF A FILE]`.

It prints how many seconds it has recorded, a line for each tenth.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
import time
from pathlib import Path

from antiphon_protocol.audio import PCM
from antiphon_server.call.sound import encode
from antiphon_server.recording.studio import Studio
from antiphon_server.recording.unfinished import Unfinished
from antiphon_server.store.artifact_folder import Folder
from server.recording.recorded import RATE, babble

TENTH = RATE // 10


async def record(folder: Path) -> None:
    """The left channel is babble of seed 1, the right of seed 2, from second 0 on."""
    kept = Folder(folder)
    await kept.start()
    unfinished = Unfinished(folder / "unfinished")
    user, agent = babble(10, 1), babble(10, 2)
    recording = Studio(unfinished.claim(), kept).record("sess_killed", PCM, PCM)
    began = time.monotonic()
    for number in range(100):
        await asyncio.sleep(max(0.0, began + number / 10 - time.monotonic()))
        piece = slice(number * TENTH, (number + 1) * TENTH)
        recording.user(encode(user[piece], PCM), began + number / 10)
        recording.agent(encode(agent[piece], PCM), began + number / 10)
        print(number / 10, flush=True)  # noqa: T201
        if number == 25 and len(sys.argv) > 2:
            print(await recording.finish(), flush=True)  # noqa: T201
            return


if __name__ == "__main__":
    if len(sys.argv) > 2:
        # What is imported from now on must not be cached: its file would be cut off too.
        sys.dont_write_bytecode = True
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    asyncio.run(record(Path(sys.argv[1])))
