"""The adapter of chat completions keeps the contract of language models."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from antiphon_providers.contract.language_model import LanguageModelContract
from antiphon_providers.openai import OpenAI, OpenAIOptions
from openai_peer import HELLO, KEY
from raw_http import Exchange, RawServer, raw_server


async def _answer(exchange: Exchange) -> None:
    """Lists its models, and says hello."""
    if exchange.request.path.endswith("/chat/completions"):
        await exchange.stream(HELLO)
    else:
        await exchange.respond(200, b'{"data": []}', "content-type: application/json")


class TestContract(LanguageModelContract):
    """It keeps to what every language model must."""

    @pytest.fixture(autouse=True)
    async def _vendor(self) -> AsyncIterator[None]:
        async with raw_server(_answer) as server:
            self.server: RawServer = server
            yield

    def make(self) -> OpenAI:
        """At the server."""
        return OpenAI(OpenAIOptions(model="m", base_url=f"{self.server.url}/v1", api_key=KEY))

    def make_unreachable(self) -> OpenAI:
        """Where nobody listens."""
        return OpenAI(OpenAIOptions(model="m", base_url="http://127.0.0.1:9/v1", api_key=KEY))
