"""A llama.cpp server with a model of ours, in a process of its own, on a free loopback port."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from longer.environment import PYTHON

KEY = "sk-llama"
_WRITER = Path(__file__).with_name("chain_model.py")
_WRITE_S = 60
_CONTEXT = 65_536
"""Tokens. An endless reply of that many takes far longer than any test waits."""


@contextmanager
def llama(folder: Path, sentence: str, *how: str) -> Iterator[str]:
    """The base URL of a server that says this sentence and wants ``KEY``; writes to ``folder``.

    ``how`` may be "endless". Raises ``RuntimeError`` with what the server wrote if it does not
    start, and ``FileNotFoundError`` where its environment is missing: see scripts/test-longer.
    """
    model = folder / "chain.gguf"
    subprocess.run([PYTHON, _WRITER, model, sentence, *how], check=True, timeout=_WRITE_S)
    options = {
        "model": str(model),
        "host": "127.0.0.1",
        "port": "0",
        "api_key": KEY,
        "chat_format": "chatml-function-calling",
        "n_ctx": str(_CONTEXT),
        "n_threads": "1",
        "logits_all": "false",
        # By default a request ends the one before it, and whether a client that leaves does so
        # too could not be seen.
        "interrupt_requests": "false",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    with subprocess.Popen(
        [PYTHON, "-m", "llama_cpp.server", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            heard = ""
            for line in process.stderr:
                heard += line
                if found := re.search(r"running on (http://\S+)", line):
                    break
            else:
                raise RuntimeError(f"the llama.cpp server did not start: {heard}")
            # Read on, so that its output never fills the pipe.
            Thread(target=process.stderr.read, daemon=True).start()
            yield f"{found[1]}/v1"
        finally:
            process.kill()
