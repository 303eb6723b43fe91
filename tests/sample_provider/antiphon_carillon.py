"""A voice behind an HTTP service: one request a sentence, answered with raw PCM as it is made."""

from collections.abc import AsyncIterator

import httpx
import msgspec

from antiphon_providers.errors import Malformed, Refused, Unavailable
from antiphon_providers.interfaces import Sound, VoiceOptions


class CarillonOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the service is."""

    url: str


class Carillon:
    """Int16 little-endian mono PCM at 24 kHz, passed on in pieces of 100 ms."""

    name = "carillon"
    rate = 24_000
    Options = CarillonOptions

    def __init__(self, options: CarillonOptions) -> None:
        self.client = httpx.AsyncClient(base_url=options.url, timeout=10)

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """Speech under way ends with its connection."""
        await self.client.aclose()

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncIterator[Sound]:
        """Raises `Refused`, `Unavailable` and `Malformed`."""
        number = -1
        async for sentence in sentences:
            number += 1
            heard = 0
            body = {"text": sentence, "voice": options.voice}
            if self.client.is_closed:
                raise Unavailable("the carillon was closed", provider=self.name)
            try:
                async with self.client.stream("POST", "/say", json=body) as answer:
                    if answer.is_error:
                        reason = (await answer.aread()).decode()
                        raise Refused(reason, provider=self.name, status_code=answer.status_code)
                    async for pcm in answer.aiter_bytes(self.rate // 10 * 2):
                        heard += len(pcm)
                        yield Sound(pcm, number)
            except (httpx.HTTPError, httpx.StreamError) as error:
                raise Unavailable(f"Carillon: {error!r}", provider=self.name) from error
            if heard % 2 or (sentence and not heard):
                raise Malformed(f"Carillon: {heard} bytes of PCM", provider=self.name)
            yield Sound(b"", number, ends=True)
