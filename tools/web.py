"""Bundle the web pages: `python3 tools/web.py`, in about a second.

    web/PAGE.html, web/PAGE/main.js, web/style/PAGE.css -> a page and its assets
    web/static/*                                        -> assets as they are
    clients/js/src/index.js, its widget, its worklets   -> assets for anybody's pages

What a page of ours loads gets a hash into its name, so that browsers may keep it for ever; the
page's HTML is written with the plain names. esbuild does the work, and npm brings it, with what
`web/package-lock.json` pins, from wherever the machine's npm takes packages. Nothing is done
when nothing has changed.

Standard library only: it runs on a machine where nothing is installed yet.
"""

import fcntl
import gzip
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import npm
import web_sources
from commands import SetupError, run
from web_sources import BUILT, CLIENT, WEB

# What the pages may count on: what browsers could do at the beginning of 2024.
_TARGET = "--target=es2022,chrome120,firefox121,safari17.4"
_OPTIONS = (
    "--bundle", "--minify", "--charset=utf8", "--sourcemap=linked", "--log-level=warning",
    "--log-override:import-is-undefined=error", _TARGET,
    "--asset-names=[name]-[hash]", "--loader:.svg=file", "--loader:.woff2=file",
)  # fmt: skip
_COMPRESSED = {".html", ".js", ".css", ".svg", ".txt", ".map", ".json"}
# Below that a compressed file saves no packet.
_LEAST_BYTES = 600
# Which lock the packages were installed from.
_NOTED = WEB / "node_modules/.antiphon-lock"
# What runs the JavaScript of tools, in a frame without an origin: it can load no modules.
_FRAME = "playground/sandbox_frame.js"
_FRAME_NAME = "playground-sandbox"
_PACKAGE = re.compile(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^/]+")
_REFERENCE = re.compile(r'(?<==")/assets/([^"]+)(?=")')


@dataclass(frozen=True)
class Output:
    """A file that esbuild wrote: its path below the folder of assets, and what is in it."""

    path: str
    entry: str
    """The plain name of an entry point, without suffix; else empty."""
    inputs: tuple[str, ...]
    """What it was made from, relative to the folder of the pages' sources."""
    imports: tuple[str, ...]
    """The chunks that are loaded before it runs, as `path`."""


def build(root: Path) -> bool:
    """Build the pages of the checkout `root`, unless they are built; tell whether that was needed.

    Raises SetupError where npm or a package cannot be had, and with what esbuild says about a
    mistake in the sources; the pages that were built before are left as they are.
    """
    if web_sources.are_built(root):
        return False
    with _alone(root):
        mark = web_sources.fingerprint(root)
        if web_sources.are_built(root):
            return False  # Another process did it while this one waited.
        _install(root)
        fresh = root / BUILT.with_name("built.new")
        shutil.rmtree(fresh, ignore_errors=True)
        _bundle(root, fresh)
        web_sources.note(fresh, mark)
        _replace(root / BUILT, fresh)
    return True


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold a lock that one build of this checkout at a time may hold."""
    lock = root / ".cache" / "web.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def needs_npm(root: Path) -> bool:
    """Tell whether a build of the checkout `root` has to install packages first."""
    noted = root / _NOTED
    return not noted.exists() or noted.read_text("ascii") != _wanted(root)


def _wanted(root: Path) -> str:
    return hashlib.sha256((root / web_sources.LOCK).read_bytes()).hexdigest()


def _install(root: Path) -> None:
    """Install what the lock pins, unless that is there. Scripts of packages are not run."""
    if not needs_npm(root):
        return
    found = npm.find(root)
    if found is None:
        raise SetupError(f"the web pages need npm, which comes with Node {npm.OLDEST} or newer")
    run(
        "installing what the web pages are made with",
        [*found.command, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
         "--fetch-retries=1", "--fetch-retry-mintimeout=1000"],
        cwd=root / WEB,
        env=found.variables,
    )  # fmt: skip
    (root / _NOTED).write_text(_wanted(root), "ascii")


def _bundle(root: Path, built: Path) -> None:
    """Write pages and assets into the folder `built`."""
    web, assets = root / WEB, built / "assets"
    assets.mkdir(parents=True)
    static = web / "static"
    for path in sorted(static.iterdir()) if static.is_dir() else ():
        shutil.copyfile(path, assets / path.name)
    made = _bundle_pages(root, assets) + _bundle_client(root, assets)
    for page in sorted(web.glob("*.html")):
        html = with_names(page.read_text("utf-8"), page.name, assets, made)
        (built / page.name).write_text(html, "utf-8")
    (assets / "licences.txt").write_text(licences(web, made), "utf-8")
    for path in sorted(built.rglob("*")):
        if path.suffix in _COMPRESSED and path.stat().st_size >= _LEAST_BYTES:
            packed = gzip.compress(path.read_bytes(), 9, mtime=0)
            path.with_name(path.name + ".gz").write_bytes(packed)


def _bundle_pages(root: Path, assets: Path) -> list[Output]:
    """Bundle what our own pages load; what they have in common, and what waits, in chunks."""
    web = root / WEB
    pages = [page.stem for page in sorted(web.glob("*.html"))]
    modules = [f"{page}={web / page / 'main.js'}" for page in pages if (web / page).is_dir()]
    styles = [f"{page}={web / 'style' / page}.css" for page in pages]
    styles = [entry for entry in styles if Path(entry.partition("=")[2]).exists()]
    hashed = ("--entry-names=[name]-[hash]", "--chunk-names=chunk-[hash]")
    made = _esbuild(root, assets, [*modules, *styles], *hashed, "--format=esm", "--splitting")
    frame = web / _FRAME
    if frame.exists():
        made += _esbuild(root, assets, [f"{_FRAME_NAME}={frame}"], *hashed, "--format=iife")
    return made


def _bundle_client(root: Path, assets: Path) -> list[Output]:
    """Bundle the SDK, its widget and its worklets, one file each, under the names they keep."""
    client = root / CLIENT
    entries = [client / "src/index.js", *sorted((client / "widget").glob("antiphon-*.js"))]
    names = [(path.stem if path.stem != "index" else "antiphon", path) for path in entries]
    names += [(f"worklets/{path.stem}", path) for path in (client / "src/worklets").glob("*.js")]
    wanted = [f"{name}={path}" for name, path in sorted(names) if path.exists()]
    return _esbuild(root, assets, wanted, "--format=esm") if wanted else []


def _esbuild(root: Path, assets: Path, entries: list[str], *options: str) -> list[Output]:
    """Run esbuild on `entries`, each `name=path`, in the folder of the sources."""
    web = root / WEB
    programs = sorted(web.glob("node_modules/@esbuild/*/bin/esbuild"))
    if not programs:
        raise SetupError("npm brought no esbuild for this kind of machine")
    told = assets.parent / "esbuild.json"
    run(
        "bundling the web pages",
        [programs[0], *entries, *_OPTIONS, *options, f"--outdir={assets}", f"--metafile={told}",
         f"--alias:antiphon={root / CLIENT}/src/index.js"],
        cwd=web,
    )  # fmt: skip
    outputs: dict[str, Any] = json.loads(told.read_text("utf-8"))["outputs"]
    told.unlink()
    names = {str((web / path).resolve()): name for name, _, path in map(_parted, entries)}
    home = {path: (web / path).resolve().relative_to(assets.resolve()) for path in outputs}
    return [
        Output(
            path=home[path].as_posix(),
            entry=names.get(str((web / output.get("entryPoint", "")).resolve()), ""),
            inputs=tuple(output["inputs"]),
            imports=tuple(
                home[one["path"]].as_posix()
                for one in output["imports"]
                if one["kind"] == "import-statement"
            ),
        )
        for path, output in outputs.items()
    ]


def _parted(entry: str) -> tuple[str, str, str]:
    return entry.partition("=")


def with_names(html: str, page: str, assets: Path, made: list[Output]) -> str:
    """Return `html` with the names that its assets have got, and a hint to load their chunks.

    Raises SetupError if it refers to an asset that there is not.
    """
    by_name = {one.entry + Path(one.path).suffix: one for one in made if one.entry}
    wanted = [by_name[name] for name in _REFERENCE.findall(html) if name in by_name]

    def renamed(found: re.Match[str]) -> str:
        name = by_name[found[1]].path if found[1] in by_name else found[1]
        if not (assets / name).is_file():
            raise SetupError(f"{page} refers to /assets/{found[1]}, which nothing is bundled into")
        return f"/assets/{name}"

    chunks = dict.fromkeys(chunk for one in wanted for chunk in one.imports)
    hints = "".join(f'<link rel="modulepreload" href="/assets/{chunk}">' for chunk in chunks)
    return _REFERENCE.sub(renamed, html).replace("</head>", f"{hints}</head>", 1)


def licences(web: Path, made: list[Output]) -> str:
    """Return the licences of the packages of others that are in what was `made`."""
    inside = {_PACKAGE.match(path) for one in made for path in one.inputs}
    parts = ["Software of others that is in the web pages, and its licences.\n"]
    for package in sorted({found[0] for found in inside if found}):
        home = web / package
        about = json.loads((home / "package.json").read_text("utf-8"))
        texts = sorted(path for path in home.iterdir() if path.name.upper().startswith("LICEN"))
        if not texts:
            raise SetupError(f"{package} brings no licence that could be passed on")
        title = f"{about['name']} {about['version']} ({about['license']})"
        parts.append("\n".join(["=" * len(title), title, "", texts[0].read_text("utf-8")]))
    return "\n".join(parts)


def _replace(built: Path, fresh: Path) -> None:
    """Put the folder `fresh` where `built` was."""
    old = built.with_name("built.old")
    shutil.rmtree(old, ignore_errors=True)
    if built.exists():
        built.rename(old)
    fresh.rename(built)
    shutil.rmtree(old, ignore_errors=True)


def main() -> int:
    """Build the pages of this checkout; return the exit status."""
    try:
        build(Path(__file__).resolve().parent.parent)
    except SetupError as error:
        sys.stderr.write(f"antiphon: the web pages cannot be built. {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
