"""``antiphon serve``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from functools import partial

import structlog
import uvloop

from antiphon_server import settings as settings_module
from antiphon_server.edge import transport
from antiphon_server.edge.app import create_app
from antiphon_server.edge.backstage import StartFailed
from antiphon_server.edge.node import Node
from antiphon_server.edge.reload import Reload
from antiphon_server.env_file import Environment
from antiphon_server.observe import logs
from antiphon_server.security.exposure import check_exposure
from antiphon_server.settings import Settings, SettingsError

log = structlog.get_logger()

MISCONFIGURED = 2


class Serve:
    """The command, as ``antiphon`` finds it."""

    help = "Run the voice agent server."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the options; each has an environment variable, listed in the docs."""
        parser.description = (
            "Run the voice agent server. Everything can be set by environment variables too "
            "(docs/reference/settings.md); options given here win."
        )
        parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
        parser.add_argument(
            "--port", type=int, help="port to listen on (default 8400; 0: a free one)"
        )
        parser.add_argument("--llm", help="language model provider (default: dialogue, built in)")
        parser.add_argument("--stt", help="speech-to-text provider (default: moonshine, built in)")
        parser.add_argument("--tts", help="text-to-speech provider (default: local, built in)")
        parser.add_argument(
            "--env-file",
            metavar="FILE",
            help="variables, NAME=value a line, which win over the environment's; SIGHUP has it "
            "read again (default: ANTIPHON_ENV_FILE)",
        )
        parser.add_argument(
            "--log-level", choices=sorted(logs.LEVELS), help="least severe line (default info)"
        )

    def run(self, args: argparse.Namespace) -> int:
        """Serves until stopped; 2 where it cannot start, with the reason on standard error."""
        environment = Environment(os.environ, args.env_file or "")
        reading = partial(
            settings_module.read,
            host=args.host,
            port=args.port,
            llm=args.llm,
            stt=args.stt,
            tts=args.tts,
            log_level=args.log_level,
        )
        if environment.file is not None:
            # Until it is taken to read that file again, it must not end the process.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            variables = environment.read()
            settings = reading(variables)
            environment.use(variables)
            node = Node(settings)
            node.create()
            listener = transport.listen(settings)
        except (SettingsError, StartFailed, transport.AddressTaken) as failure:
            return _refuse(str(failure))
        logs.configure(settings.log_level, settings.log_format)
        try:
            with (
                contextlib.closing(listener),
                contextlib.suppress(KeyboardInterrupt),
                asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
            ):
                reload = Reload(node.pipeline, environment, reading)
                runner.run(_serve(node, settings, listener, reload))
        except (StartFailed, SettingsError) as failure:
            return _refuse(str(failure))
        return 0


async def _serve(node: Node, settings: Settings, listener: socket.socket, reload: Reload) -> None:
    if settings.env_file:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload.ask)
    await node.start()
    try:
        is_open = await node.keys.is_open()
        check_exposure(settings, has_keys=not is_open)
    except SettingsError:
        await node.close()
        raise
    server = transport.server(create_app(node), settings, node.farewell)
    transport.settle_memory()
    # Whoever reads the banner may stop the server at once.
    with server.capture_signals():
        print(_banner(settings, listener, is_open=is_open), flush=True)  # noqa: T201
        reloading = asyncio.create_task(reload.run(), name="reload-settings")
        try:
            await server.serve([listener])
        finally:
            reloading.cancel()
            with _hurrying(node, at_once=server.force_exit):
                await node.close()


@contextlib.contextmanager
def _hurrying(node: Node, *, at_once: bool) -> Iterator[None]:
    """While the node closes, the next SIGINT or SIGTERM shortens it and does not break it off."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, node.backstage.hurry)
    if at_once:
        node.backstage.hurry()
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _banner(settings: Settings, listener: socket.socket, *, is_open: bool) -> str:
    host, port = listener.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    keys = "no key needed: development mode, this machine only" if is_open else "API key needed"
    pages = f"  Playground http://{address}/   (console: /console)\n" if settings.pages else ""
    spoken = f"{settings.s2s}; in its place " if settings.s2s else ""
    return (
        f"Antiphon listens on http://{address}\n"
        f"{pages}"
        f"  WebSocket  ws://{address}/v1/ws ({keys})\n"
        f"  Metrics    http://{address}/metrics\n"
        f"  Providers  {spoken}{settings.stt} → {settings.llm} → {settings.tts}\n"
        f"  Talk to it .venv/bin/antiphon talk --url ws://{address}/v1/ws   (another terminal)\n"
        f"  Stop it    Ctrl-C"
    )


def _refuse(reason: str) -> int:
    print(f"antiphon serve: {reason}", file=sys.stderr)  # noqa: T201
    return MISCONFIGURED


serve = Serve()
