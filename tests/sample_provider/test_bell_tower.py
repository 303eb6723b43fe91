"""The sample provider's service rings for as long as it should."""

import httpx

from sample_provider.bell_tower import MS_PER_CHARACTER, RATE, bell_tower


async def test_a_text_is_as_long_as_its_characters() -> None:
    """In whole samples; no text, no sound; nobody's voice is refused."""
    async with bell_tower() as server, httpx.AsyncClient(base_url=server.url) as client:
        said = await client.post("/say", json={"text": "Hello.", "voice": "anna"})
        silent = await client.post("/say", json={"text": "", "voice": "anna"})
        refused = await client.post("/say", json={"text": "Hello.", "voice": "nobody"})
    assert len(said.content) == RATE * 6 * MS_PER_CHARACTER // 1000 * 2
    assert silent.content == b""
    assert refused.status_code == 404
