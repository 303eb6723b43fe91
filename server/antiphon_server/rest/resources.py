"""Everything the REST API can do, from what it does it with."""

from __future__ import annotations

from msgspec import Struct

from antiphon_server.rest import openapi
from antiphon_server.rest.agents import AgentRoutes, CheckUrl
from antiphon_server.rest.artifacts import ArtifactRoutes
from antiphon_server.rest.console_keys import ConsoleKeyRoutes
from antiphon_server.rest.console_latency import ConsoleLatencyRoutes
from antiphon_server.rest.console_live import ConsoleLiveRoutes, Here
from antiphon_server.rest.console_sessions import ConsoleSessionRoutes
from antiphon_server.rest.idempotency import Idempotency
from antiphon_server.rest.lists import ListRoutes
from antiphon_server.rest.operations import Operation
from antiphon_server.rest.operator_providers import OperatorRoutes
from antiphon_server.rest.sessions import SessionPlaces, SessionRoutes
from antiphon_server.rest.tokens import TokenRoutes
from antiphon_server.rest.usage import UsageRoutes
from antiphon_server.rest.webhook_deliveries import WebhookDeliveryRoutes
from antiphon_server.rest.webhooks import WebhookRoutes
from antiphon_server.security.keys import Keys
from antiphon_server.security.secrets import Vault
from antiphon_server.stages.changes import Stages
from antiphon_server.store.agents import Agents
from antiphon_server.store.idempotency import Claims


class Resources(Struct, frozen=True, kw_only=True):
    """What the handlers work with."""

    keys: Keys
    vault: Vault
    guard: CheckUrl
    agents: Agents
    claims: Claims
    places: SessionPlaces
    stages: Stages
    here: Here = Here()
    former_voices: bool = True


def operations(resources: Resources) -> tuple[Operation, ...]:
    """Every operation, and the one that serves the document of them."""
    keys, vault, guard, places = (
        resources.keys,
        resources.vault,
        resources.guard,
        resources.places,
    )
    database = places.keeping.database
    once = Idempotency(resources.claims, vault.pepper)
    voices = resources.former_voices
    every = (
        *TokenRoutes(keys).operations(),
        *ListRoutes(keys).operations(),
        *AgentRoutes(keys, resources.agents, guard, once, former_voices=voices).operations(),
        *SessionRoutes(keys, places).operations(),
        *ArtifactRoutes(places.keeping, places.links).operations(),
        *WebhookRoutes(keys, database, vault, guard, once).operations(),
        *WebhookDeliveryRoutes(keys, database).operations(),
        *UsageRoutes(keys, database).operations(),
        *OperatorRoutes(keys, resources.stages).operations(),
        *ConsoleLiveRoutes(keys, resources.here).operations(),
        *ConsoleSessionRoutes(keys, places).operations(),
        *ConsoleLatencyRoutes(keys, database).operations(),
        *ConsoleKeyRoutes(keys, database, vault.pepper).operations(),
    )
    return (*every, openapi.itself(every))
