"""One language model that sends each turn to the best of several."""

import asyncio
from collections.abc import Sequence

import pytest

from antiphon_providers.contract.language_model import LanguageModelContract
from antiphon_providers.errors import Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import Chosen, LanguageModel, Prompt
from antiphon_providers.resilience.routing import Router
from antiphon_providers.resilience.rules import Price, Routing, Rule
from antiphon_providers.scripted import ScriptedLanguageModel
from antiphon_providers.scripted.language_model import said
from providers.resilience.watching import (
    Watching,
    asking,
    chosen_in,
    dead,
    model_of,
    pieces_of,
    scripted,
    text_of,
)
from virtual_time import in_virtual_time


def router_of(
    routing: Routing,
    models: Sequence[LanguageModel] = (),
    *,
    small: LanguageModel | None = None,
    watching: Watching | None = None,
) -> Router:
    """Candidates ``a`` and ``b`` where no others are given."""
    return Router(model_of(models or [scripted(), scripted()], None, watching), routing, small)


def naming(answer: str, fault: str = "", first_ms: float = 50) -> ScriptedLanguageModel:
    """A small model that calls everything this."""
    return scripted(fault, says=answer, first_ms=first_ms)


class TestRouter(LanguageModelContract):
    """It is a language model like any other."""

    def make(self) -> Router:
        """One that asks a small model."""
        rules = (Rule(use="b", classes=("chat", "other")),)
        return router_of(Routing(rules=rules), small=naming("chat"))


@in_virtual_time
async def test_who_was_chosen_and_why_comes_first() -> None:
    """In the reply, and for the observer."""
    watching = Watching()
    router = router_of(Routing(rules=(Rule(use="b", tools=True),)), watching=watching)
    pieces = await pieces_of(router, asking(tools=["weather"]))
    assert pieces[0] == Chosen("b", "b-1", "rule: tools")
    assert (await pieces_of(router))[0] == Chosen("a", "a-1", "first in order")
    assert watching.of("chose") == [
        ("chose", "b", "rule: tools"),
        ("chose", "a", "first in order"),
    ]


@in_virtual_time
async def test_the_first_rule_that_fits_decides() -> None:
    """Whatever comes after it, and whatever the strategy says."""
    rules = (
        Rule(use="a", pattern="weather"),
        Rule(use="b", longest_chars=20),
        Rule(use="a"),
    )
    router = router_of(Routing(rules=rules, strategy="cheapest"))
    asked = [
        chosen_in(await pieces_of(router, asking(words)))[0].provider
        for words in ("The weather", "Hello", "A rather long question")
    ]
    assert asked == ["a", "b", "a"]


@in_virtual_time
async def test_turns_go_to_the_fastest_as_it_is_learned() -> None:
    """Also when the fastest becomes slow."""
    first, second = scripted(first_ms=400), scripted(first_ms=200)
    router = router_of(Routing(strategy="fastest", explore_every=0), [first, second])
    asked = [chosen_in(await pieces_of(router))[0].provider for _ in range(10)]
    assert asked == ["a"] * 3 + ["b"] * 7
    second.options = scripted(first_ms=800).options
    later = [chosen_in(await pieces_of(router))[0].provider for _ in range(20)]
    assert later[-1] == "a"


@in_virtual_time
async def test_turns_go_to_the_cheapest() -> None:
    """By the table of prices."""
    prices = {"a": Price(prompt=5, completion=15), "b": Price(prompt=0.1, completion=0.4)}
    router = router_of(Routing(strategy="cheapest", prices=prices))
    assert chosen_in(await pieces_of(router)) == [Chosen("b", "b-1", "cheapest")]


@in_virtual_time
async def test_another_takes_over_from_the_one_chosen() -> None:
    """The reason is then why; one that is left alone is not chosen again."""
    first, second, watching = scripted(), scripted(), Watching()
    router = router_of(Routing(rules=(Rule(use="b"),)), [first, second], watching=watching)
    dead(second)
    reasons = [chosen_in(await pieces_of(router))[0].reason for _ in range(4)]
    assert reasons == ["provider_unavailable"] * 3 + ["first in order"]
    assert [told[1] for told in watching.of("chose")] == ["b", "b", "b", "a"]


@in_virtual_time
async def test_nobody_can_be_asked_while_all_are_left_alone() -> None:
    """As with any list of candidates."""
    router = router_of(Routing(), [scripted("unavailable"), scripted("unavailable")])
    for _ in range(3):
        with pytest.raises(Unavailable, match="scripted"):
            await pieces_of(router)
    with pytest.raises(Unavailable, match="can be asked now"):
        await pieces_of(router)


@pytest.mark.parametrize(
    ("answer", "provider"),
    [
        ("billing", "b"),
        ("Billing.", "b"),
        ("The class is: billing, not chat", "b"),
        ("chat", "a"),
        ("chat or billing", "a"),
        ("no idea", "a"),
        ("billingchat", "a"),
    ],
)
@in_virtual_time
async def test_a_small_model_names_what_the_user_says(answer: str, provider: str) -> None:
    """The class it names first counts, in any case; no class is none."""
    rules = (Rule(use="b", classes=("billing",)), Rule(use="a", classes=("chat",)))
    small = naming(answer)
    router = router_of(Routing(rules=rules), small=small)
    pieces = await pieces_of(router, asking("My bill is wrong"))
    assert chosen_in(pieces)[0].provider == provider
    [question] = small.prompts
    assert question.messages[0].content.endswith("one word out of: billing, chat.")
    assert question.messages[1].content == "My bill is wrong"


@in_virtual_time
async def test_the_small_model_is_asked_once_and_only_where_it_matters() -> None:
    """Not before an earlier rule that fits, and not without words of the user."""
    small = naming("chat")
    rules = (
        Rule(use="a", tools=True),
        Rule(use="b", classes=("billing",)),
        Rule(use="b", classes=("chat",)),
    )
    router = router_of(Routing(rules=rules), small=small)
    await pieces_of(router, asking(tools=["weather"]))
    await pieces_of(router, Prompt(()))
    assert small.desk.opened == 0
    assert chosen_in(await pieces_of(router))[0].reason == "rule: classified as chat"
    assert small.desk.opened == 1


@pytest.mark.parametrize("fault", ["unavailable", "stall", "stall at open", "empty", "malformed"])
@in_virtual_time
async def test_a_small_model_that_fails_is_done_without(fault: str) -> None:
    """Within its deadline; the turn goes where it would go without that rule."""
    loop, watching = asyncio.get_running_loop(), Watching()
    small = naming("chat", fault)
    rules = (Rule(use="b", classes=("chat",)),)
    router = router_of(Routing(rules=rules), small=small, watching=watching)
    pieces = await pieces_of(router)
    assert chosen_in(pieces)[0].provider == "a"
    assert loop.time() <= 0.3 + 0.2
    assert small.desk.active == 0
    assert len(watching.of("failed")) == (fault != "empty")


@in_virtual_time
async def test_a_small_model_that_talks_is_not_listened_to() -> None:
    """And one with a defect of its own does not end the call."""
    rules = (Rule(use="b", classes=("chat",)),)
    talking = ScriptedLanguageModel(answer=lambda _: said("so " * 10_000 + "chat"))
    router = router_of(Routing(rules=rules), small=talking)
    assert chosen_in(await pieces_of(router))[0].provider == "a"

    def broken(_prompt: Prompt) -> list[Chosen]:
        raise KeyError("choices")

    router = router_of(Routing(rules=rules), small=ScriptedLanguageModel(answer=broken))
    assert text_of(await pieces_of(router)) == "All is well."


@pytest.mark.parametrize(
    ("routing", "words"),
    [
        (Routing(rules=(Rule(use="z"),)), "routing names z; there are a, b"),
        (Routing(prices={"y": Price(prompt=1, completion=1)}), "routing names y"),
        (Routing(rules=(Rule(use="a", classes=("x",)),)), "need a small model"),
    ],
)
def test_a_routing_that_cannot_be_is_refused(routing: Routing, words: str) -> None:
    """A name that is nobody's; classes that nobody tells."""
    with pytest.raises(Refused, match=words):
        asyncio.run(_made(routing))


async def _made(routing: Routing) -> None:
    router_of(routing)


class Slow(ScriptedLanguageModel):
    """A small model that starts as it is told."""

    def __init__(self, failure: Unavailable | TooSlow | Refused) -> None:
        super().__init__()
        self.failure = failure

    async def start(self) -> None:
        """Fails."""
        raise self.failure


async def test_a_small_model_that_cannot_start_now_does_not_matter() -> None:
    """One that never will does."""
    await router_of(Routing(), small=Slow(Unavailable("down"))).start()
    with pytest.raises(Refused, match="key"):
        await router_of(Routing(), small=Slow(Refused("key"))).start()


async def test_closing_closes_all_and_the_observer_can_be_replaced() -> None:
    """The small one, too."""
    small, watching = naming("chat"), Watching()
    router = router_of(Routing(rules=(Rule(use="a", classes=("chat",)),)), small=small)
    router.observer = watching
    assert router.observer is watching
    await router.start()
    await router.close()
    assert await pieces_of(small) == []
