"""The embedded language model that is none: a small agent of rules, and honest about it.

No weights worth talking to come without a download, so the default brain of an offline server
is this: skills tried in order (``skills``), tools filled by asking (``tool_requests``), answers out
of the system prompt (``knowledge``). It is deterministic, takes microseconds to milliseconds,
and says what it is when asked. One exchange:

>>> import asyncio
>>> from antiphon_providers.interfaces import Message, Prompt, Said
>>> async def talk(text):
...     prompt = Prompt((Message(role="user", content=text),))
...     return "".join([s.text async for s in Dialogue().reply(prompt) if isinstance(s, Said)])
>>> asyncio.run(talk("what is twelve times seven"))
"It's 84."
"""

from antiphon_providers.local.dialogue.agent import Dialogue, DialogueOptions

__all__ = ["Dialogue", "DialogueOptions"]
