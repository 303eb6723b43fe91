"""``/v1/operator/providers``: who serves each stage, and changing that while calls go on.

For keys with the scope ``operator`` only, on a server without keys, too. An extension of ours.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest_operator import ServingStage, ServingStages, StageChange
from antiphon_server.rest.access import admitted, presented
from antiphon_server.rest.answers import answer
from antiphon_server.rest.bodies import body_of
from antiphon_server.rest.errors import NoSuchStage, ProviderAway, ProviderRefused, RestError
from antiphon_server.rest.operations import Operation
from antiphon_server.rest.operator_view import told
from antiphon_server.security.admission import Admission
from antiphon_server.security.host_names import names_this_machine
from antiphon_server.security.keys import Keys
from antiphon_server.settings import ALL_STAGES, Candidate
from antiphon_server.stages.changes import ChangeFailed, Stages, without_secrets

log = structlog.get_logger()

PATH = "/v1/operator/providers"
_SETTINGS = {str(stage): setting for setting, stage in ALL_STAGES.items()}


class OperatorRoutes:
    """The providers of a whole server."""

    def __init__(self, keys: Keys, stages: Stages) -> None:
        self._keys = keys
        self._stages = stages

    def operations(self) -> tuple[Operation, ...]:
        """See, and change."""
        return (
            Operation(
                method="GET",
                path=PATH,
                handler=self.get,
                summary="See who serves each stage",
                tag="Operator",
                answers=ServingStages,
            ),
            Operation(
                method="PUT",
                path=f"{PATH}/{{stage}}",
                handler=self.put,
                summary="Change who serves a stage, also for calls in progress",
                tag="Operator",
                takes=StageChange,
                answers=ServingStage,
                errors=(NoSuchStage, ProviderRefused, ProviderAway),
            ),
        )

    async def get(self, request: Request) -> Response:
        """Raises what ``admitted`` raises.

        Without keys whoever is at the machine may look, too: the console shows it.
        """
        await self._may_look(request)
        lineups = self._stages.lineups
        return answer(
            ServingStages(stages=tuple(told(each, time.monotonic()) for each in lineups.values()))
        )

    async def _may_look(self, request: Request) -> None:
        if presented(request) is None and names_this_machine(request.headers):
            caller = await admitted(self._keys, request, None)
            if caller.key_id is None:
                return
        await admitted(self._keys, request, "operator")

    async def put(self, request: Request) -> Response:
        """The stage as it is served now.

        Raises what ``admitted`` and ``body_of`` raise, ``NoSuchStage``, ``ProviderRefused`` and
        ``ProviderAway``; nothing has changed then.
        """
        operator = await admitted(self._keys, request, "operator")
        stage = request.path_params["stage"]
        setting = _SETTINGS.get(stage, "")
        if setting not in self._stages.lineups:
            known = ", ".join(ALL_STAGES[name] for name in self._stages.lineups)
            raise NoSuchStage(f"There is no stage of this name to change; there are {known}")
        wanted = await body_of(request, StageChange)
        chosen = tuple(
            Candidate(setting if place == 1 else f"{setting}_{place}", each.name, each.options)
            for place, each in enumerate(wanted.providers, 1)
        )
        before = self._stages.lineups[setting].names
        try:
            changed = await self._stages.change({setting: chosen})
        except ChangeFailed as failed:
            raise _refusal(operator, stage, chosen, failed) from failed
        lineup = self._stages.lineups[setting]
        if setting in changed:
            _audit(operator, "providers changed", stage=stage, before=before, after=lineup.names,
                   version=lineup.version)  # fmt: skip
        return answer(told(lineup, time.monotonic()))


def _refusal(
    operator: Admission, stage: str, chosen: tuple[Candidate, ...], failed: ChangeFailed
) -> RestError:
    """What the operator is told, in the provider's own words but for secrets."""
    words = without_secrets(failed.failure.message, chosen)
    names = [each.name for each in chosen]
    _audit(operator, "change of providers refused", stage=stage, wanted=names, reason=words)
    return ProviderAway(words) if failed.failure.retryable else ProviderRefused(words)


def _audit(operator: Admission, event: str, **fields: Any) -> None:
    log.info(event, key=operator.key_id, account=operator.account, **fields)
