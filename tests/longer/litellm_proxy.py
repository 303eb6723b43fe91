"""A LiteLLM proxy, in a process of its own, on a free loopback port, that needs no network."""

from __future__ import annotations

import asyncio
import json
import os
import re
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from longer.environment import LITELLM

KEY = "sk-litellm"
_START_S = 120
"""It loads for a quarter of a minute where its files were never read before."""

_NOBODY = "http://127.0.0.1:9"
_ENVIRONMENT = {
    # Otherwise these lists are fetched at the start.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_TELEMETRY": "False",
    "LITELLM_MODE": "PRODUCTION",
    "DISABLE_ADMIN_UI": "True",
    "NO_DOCS": "True",
    # Whatever else would leave this machine fails at once, and so shows.
    "HTTP_PROXY": _NOBODY,
    "HTTPS_PROXY": _NOBODY,
    "NO_PROXY": "127.0.0.1",
}


def upstream(name: str, url: str, key: str, **more: Any) -> dict[str, Any]:
    """A model of the proxy's list: what it is called, and the endpoint that answers for it."""
    params = {"model": f"openai/{name}", "api_base": url, "api_key": key, **more}
    return {"model_name": name, "litellm_params": params}


@asynccontextmanager
async def litellm(folder: Path, *models: Mapping[str, Any]) -> AsyncIterator[str]:
    """The base URL of a proxy with these models, which wants ``KEY``; writes to ``folder``.

    It has no database, and asks each model once. Raises ``RuntimeError`` with what it wrote if
    it does not start, and ``FileNotFoundError`` where its environment is missing: see
    scripts/test-longer.
    """
    config = folder / "litellm.yaml"
    settings = {
        "model_list": models,
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"telemetry": False, "num_retries": 0},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }
    # JSON is YAML too.
    config.write_text(json.dumps(settings))
    options = ["--config", str(config), "--host", "127.0.0.1", "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        str(LITELLM),
        *options,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **_ENVIRONMENT},
        cwd=folder,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_S):
            heard = ""
            while not (found := re.search(r"running on (http://\S+)", heard)):
                line = await process.stdout.readline()
                if not line:
                    raise RuntimeError(f"LiteLLM did not start: {heard}")
                heard += line.decode()
        # Read on, so that its output never fills the pipe.
        rest = asyncio.create_task(process.stdout.read())
        try:
            yield f"{found[1]}/v1"
        finally:
            process.kill()
            await rest
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
