"""The web pages: the playground at ``/``, the console at ``/console``, what they load below
``/assets``.

They are bundled by ``tools/web.py`` and read once. Every page has a Content-Security-Policy that
lets it load and ask nothing but this server; text of calls that were taken for markup could do
nothing with it.
"""

from __future__ import annotations

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from antiphon_server.console.files import File, media_type, read

BUILT = Path(__file__).with_name("built")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; media-src 'self' blob:; font-src 'self'; worker-src 'self'; "
    "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
SANDBOX_POLICY = (
    "default-src 'none'; script-src 'self' blob: 'unsafe-eval'; worker-src blob:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'; sandbox allow-scripts"
)
"""Of the frame in which the playground tries a tool's JavaScript: it has an origin of its own, no
network and no storage, so that what it evaluates can only compute.
"""

_ALWAYS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
_ISOLATED = {
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_DEVICES = "microphone=(self), camera=(), geolocation=(), display-capture=(), payment=(), usb=()"
_REVALIDATED = "no-cache"
_FOR_EVER = "public, max-age=31536000, immutable"

_SANDBOX = "playground-sandbox"
_HASHED = re.compile(r"-[A-Z0-9]{8}\.\w+(\.map)?")
"""What of a page's assets is named after its content."""

WORDS = (
    "Antiphon, a voice agent server.\n"
    "Speak to it over the WebSocket /v1/ws; metrics are at /metrics.\n"
)
_NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>The web pages are not built · Antiphon</title>
<h1>The web pages are not built</h1>
<p>The server is running and takes calls at <code>/v1/ws</code>. For the playground and the
console, run this in the checkout, and start the server again:</p>
<pre><code>python3 tools/web.py</code></pre>
<p>It says what is missing, if anything is.</p>
</html>
"""


class Pages:
    """What was bundled into a folder, as routes. Raises ``OSError`` where it cannot be read."""

    def __init__(self, folder: Path = BUILT) -> None:
        self._pages: dict[str, File] = {}
        self._assets: dict[str, File] = {}
        for path, content in read(folder).items():
            kind, _, asset = path.partition("/")
            if kind == "assets":
                self._assets[asset] = File(content, _asset_headers(asset))
            elif path.endswith(".html"):
                name = path.removesuffix(".html")
                self._pages[name] = File(content, _page_headers(name))

    def routes(self) -> list[Route]:
        """All addresses of pages and their assets, for GET and HEAD."""
        return [
            Route("/", self.playground),
            Route("/console", self.console),
            Route("/console/{path:path}", self.console),
            Route(f"/{_SANDBOX}", self.sandbox),
            Route("/assets/{name:path}", self.asset),
            Route("/favicon.ico", self.icon),
        ]

    async def playground(self, request: Request) -> Response:
        """The playground, for who takes HTML; others are told in plain words what this is."""
        if not _wants_html(request):
            return words()
        return self._page("playground", request)

    async def console(self, request: Request) -> Response:
        """The console, whichever of its addresses it is: the page itself sorts them out."""
        return self._page("console", request)

    async def sandbox(self, request: Request) -> Response:
        """What the playground puts into a frame."""
        return self._page(_SANDBOX, request)

    async def asset(self, request: Request) -> Response:
        """Something that pages load."""
        found = self._assets.get(request.path_params["name"])
        return self.nothing(request) if found is None else found.answer(request)

    async def icon(self, request: Request) -> Response:
        """What browsers ask for unless a page names another."""
        found = self._assets.get("icon.svg")
        return self.nothing(request) if found is None else found.answer(request)

    def nothing(self, request: Request) -> Response:
        """404, as a page for who takes one."""
        page = self._pages.get("not-found")
        if page is None or not _wants_html(request):
            return PlainTextResponse("Not Found", 404, _ALWAYS)
        return page.answer(request, 404)

    def missing(self, request: Request, _missing: Exception) -> Response:
        """As ``nothing``, where no route fits."""
        return self.nothing(request)

    def _page(self, name: str, request: Request) -> Response:
        page = self._pages.get(name)
        if page is None:
            headers = {**_page_headers(name), "cache-control": "no-store"}
            return HTMLResponse(_NOT_BUILT, 503, headers)
        return page.answer(request)


def words() -> Response:
    """What this is, for a person with a terminal."""
    return PlainTextResponse(WORDS, headers={"vary": "accept"})


def _wants_html(request: Request) -> bool:
    return "text/html" in ",".join(request.headers.getlist("accept")).lower()


def _page_headers(name: str) -> dict[str, str]:
    is_sandbox = name == _SANDBOX
    return {
        "content-type": media_type("page.html"),
        "cache-control": _REVALIDATED,
        "content-security-policy": SANDBOX_POLICY if is_sandbox else POLICY,
        "permissions-policy": _DEVICES,
        "vary": "accept",
        **_ALWAYS,
        **_ISOLATED,
    }


def _asset_headers(name: str) -> dict[str, str]:
    """The SDK, its widget and its worklets keep their names and are for pages of any site."""
    is_ours = _HASHED.search(name) is not None
    shared = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
    # A frame without an origin is another site's, to a browser.
    is_locked = is_ours and not name.startswith(_SANDBOX)
    return {
        "content-type": media_type(name),
        "cache-control": _FOR_EVER if is_ours else _REVALIDATED,
        **_ALWAYS,
        **({"cross-origin-resource-policy": "same-origin"} if is_locked else shared),
    }
