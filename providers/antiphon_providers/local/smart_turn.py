"""Turn detection by Smart Turn 3.2: has this speaker finished, to judge by the sound?

The network (https://github.com/pipecat-ai/smart-turn, BSD 2-clause) looks at the last 8 s. A
question costs some 50 to 100 ms of CPU, so it is asked once per pause, in a worker thread; the
network and the features leave the interpreter to others meanwhile. The deadline is the caller's:
cancelling a question that still waits takes it off the list.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import numpy as np
import onnxruntime as ort
from msgspec import Meta, Struct
from numpy.typing import NDArray

from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import HEARING_RATE
from antiphon_providers.local import models
from antiphon_providers.local.log_mel import log_mel

_HEARD = 8 * HEARING_RATE
"""Samples that the network looks at; shorter audio is preceded by zeros."""

_VARIANCE_FLOOR = 1e-7


class SmartTurnOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be set of the turn model."""

    workers: Annotated[
        int, Meta(ge=1, le=64, description="Questions answered at a time, each by a thread.")
    ] = 1


class SmartTurn:
    """Probability that the turn is over, from its sound."""

    Options = SmartTurnOptions
    name = "smart-turn"

    def __init__(self, options: SmartTurnOptions | None = None) -> None:
        self.options = options or SmartTurnOptions()
        self.answered = 0
        self._workers: ThreadPoolExecutor | None = None
        self._session: ort.InferenceSession | None = None

    async def start(self) -> None:
        """Loads the network. Raises ``NotInstalled`` where its file is missing."""
        self._workers = ThreadPoolExecutor(self.options.workers, "smart-turn")
        await asyncio.get_running_loop().run_in_executor(self._workers, self._load)

    async def close(self) -> None:
        """Questions that wait fail with ``Unavailable``; those under way are answered."""
        workers, self._workers = self._workers, None
        if workers is not None:
            await asyncio.to_thread(workers.shutdown, wait=True, cancel_futures=True)
        self._session = None

    async def judge(self, pcm: bytes) -> float:
        """The probability; ``pcm`` is int16 mono at 16 kHz, of which the last 8 s count.

        Raises ``Unavailable`` unless started, or when the network fails.
        """
        if self._workers is None:
            raise Unavailable("the turn model is not running", provider=self.name)
        question = self._workers.submit(self._answer, pcm)
        try:
            # Cancelled here, the question is cancelled too; a worker then passes it over.
            return await asyncio.wrap_future(question)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise Unavailable("the turn model was closed", provider=self.name) from None
        except Exception as failure:
            raise Unavailable(f"the turn model failed: {failure}", provider=self.name) from failure

    def _load(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        content = models.read(models.SMART_TURN, provider=self.name)
        self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        # The first run allocates; a caller must not wait for that.
        self._answer(b"")
        self.answered = 0

    def _answer(self, pcm: bytes) -> float:
        session = self._session
        if session is None:
            raise RuntimeError("closed")
        features = log_mel(prepared(pcm))[None]
        probability = session.run(None, {"input_features": features})[0]
        self.answered += 1
        return float(np.clip(probability.item(), 0, 1))


def prepared(pcm: bytes) -> NDArray[np.float32]:
    """The last 8 s of int16 PCM, zeros before it, then of zero mean and unit variance."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16)[-_HEARD:]
    heard = np.zeros(_HEARD, np.float32)
    if samples.size:
        heard[-samples.size :] = samples.astype(np.float32) / 32768
    heard -= heard.mean()
    heard /= np.sqrt(heard.var() + _VARIANCE_FLOOR)
    return heard
