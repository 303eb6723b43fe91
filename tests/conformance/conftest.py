"""Fixtures and hooks of the conformance suite; see docs/how-to/check-conformance.md."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from conformance import summary
from conformance.model import MODEL
from conformance.options import Options, add_options
from conformance.own_server import OwnServer
from conformance.peer import Peer
from conformance.stage import Stage, Trace, needs_target_only
from conformance.target import Target, proxy_of

FOLDER = Path(__file__).parent
OWN_KEYS = ("key-of-the-first-account-0123456789", "key-of-the-second-account-012345678")
OWN_LIMITED_KEY = ("--name", "one call", "--account", "limited", "--max-sessions", "1")
OWN_RESUME_SECONDS = 4
SELECTED = pytest.StashKey[list[pytest.Item]]()
STAGE = pytest.StashKey[Stage]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the suite's options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declares the suite's marks."""
    for mark in (
        "scene(function): the fixture `trace` is what came out of this scene",
        "recommended: the protocol recommends it, nobody has observed it; not with --lenient",
        "slow: takes a minute; not with --quick",
        "needs(option): cannot run against another server without this option",
    ):
        config.addinivalue_line("markers", mark)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what cannot run against this server; judges all sessions last."""
    options = Options(config)
    left_out: dict[str, int] = {}
    kept: list[pytest.Item] = []
    gone: list[pytest.Item] = []
    for item in items:
        reason = options.reason_against(item) if FOLDER in item.path.parents else None
        (kept if reason is None else gone).append(item)
        if reason is not None:
            left_out[reason] = left_out.get(reason, 0) + 1
    config.stash[summary.LEFT_OUT] = left_out
    ours = [item for item in kept if FOLDER in item.path.parents]
    last = [item for item in ours if item.path.stem == "test_every_session"]
    if last:
        end = kept.index(ours[-1]) + 1
        kept[:] = [*[one for one in kept[:end] if one not in last], *last, *kept[end:]]
    config.hook.pytest_deselected(items=gone)
    items[:] = kept
    config.stash[SELECTED] = [item for item in kept if FOLDER in item.path.parents]


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Notes the sections that a test's docstring names, for the summary."""
    if call.when == "setup" and item.path.stem != "test_the_suite":
        sections = summary.sections_of(item)
        item.user_properties.append((summary.PROPERTY, " ".join(sections)))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Waits for a test that began on the stage, instead of calling it."""
    stage = pyfuncitem.config.stash.get(STAGE, None)
    return True if stage is not None and stage.end_test(pyfuncitem) else None


@pytest.fixture(scope="session")
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The thread in which sessions are played."""
    stage = request.config.stash[STAGE] = Stage()
    yield stage
    stage.close()


@pytest.fixture(scope="session")
def target(
    request: pytest.FixtureRequest, stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """The server under test, with everything begun that can be."""
    options = Options(request.config)
    peer = Peer(options["callback-url"].rstrip("/"))
    stage.run(peer.start(int(options["callback-port"] or 0)))
    own = None
    try:
        if options.is_own:
            own = _own_server(tmp_path_factory.mktemp("conformance"), peer)
            limited = own.run("keys", "create", *OWN_LIMITED_KEY)
            target = Target(
                url=own.url,
                key=OWN_KEYS[0],
                other_key=OWN_KEYS[1],
                limited_key=limited.stdout.strip(),
                model=options.model,
                resume_seconds=OWN_RESUME_SECONDS,
                proxy=proxy_of(own.url),
                peer=peer,
            )
        else:
            target = _other_server(options, peer)
        peer.model = target.scripts.answer
        _begin(stage, target, request.config.stash[SELECTED])
        yield target
    finally:
        stage.run(peer.close())
        if own is not None:
            own.stop()


def _begin(stage: Stage, target: Target, items: list[pytest.Item]) -> None:
    """Begins everything that can be played beside other things; the slow ones first."""
    marked = [mark for item in items for mark in item.iter_markers("scene")]
    for mark in marked:
        stage.begin_scene(mark.args[0], target)
    for item in items:
        if isinstance(item, pytest.Function) and needs_target_only(item):
            stage.begin_test(item, target)


def _own_server(folder: Path, peer: Peer) -> OwnServer:
    return OwnServer(
        folder,
        ANTIPHON_API_KEYS=",".join(OWN_KEYS),
        ANTIPHON_LLM_BASE_URL=f"{peer.base}/model/v1",
        ANTIPHON_LLM_MODEL=MODEL,
        ANTIPHON_TTS="flite",
        ANTIPHON_OUTBOUND_ALLOW=peer.base.removeprefix("http://"),
        ANTIPHON_RESUME_SECONDS=str(OWN_RESUME_SECONDS),
        ANTIPHON_RECORDING="true",
    )


def _other_server(options: Options, peer: Peer) -> Target:
    return Target(
        url=options["url"].rstrip("/"),
        key=options["key"],
        other_key=options["other-key"],
        limited_key=options["limited-key"],
        model=options.model,
        resume_seconds=float(options["resume-seconds"] or 30),
        proxy=proxy_of(options["url"].rstrip("/")),
        peer=peer,
        speech_file=options["speech"],
        speech_text=options["speech-text"],
    )


@pytest.fixture
def trace(request: pytest.FixtureRequest, stage: Stage, target: Target) -> Trace:
    """What came out of the scene that the test's mark names."""
    mark = request.node.get_closest_marker("scene")
    return stage.trace(mark.args[0], target)


@pytest.fixture
async def rest(target: Target) -> AsyncIterator[httpx.AsyncClient]:
    """A REST client of the first account."""
    async with target.rest() as client:
        yield client


@pytest.fixture
async def other_rest(target: Target) -> AsyncIterator[httpx.AsyncClient]:
    """A REST client of the second account."""
    async with target.rest(target.other_key) as client:
        yield client
