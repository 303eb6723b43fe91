"""The web pages are bundled, here from small sources, by the real esbuild."""

import gzip
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import web
from commands import SetupError
from web import Output, build, licences, with_names
from web_sources import BUILT, CLIENT, WEB, are_built

ROOT = Path(__file__).resolve().parents[2]

HTML = """<!doctype html>
<html lang="en">
  <head>
    <title>A page</title>
    <link rel="stylesheet" href="/assets/console.css">
    <script type="module" src="/assets/console.js"></script>
  </head>
</html>
"""
SOURCES = {
    WEB / "console.html": HTML,
    WEB / "console/main.js": """
        import { Session } from "antiphon";
        import { words } from "../common/words.js";
        new Session(words);
        import("uplot").then((chart) => new chart.default({}, [], document.body));
    """,
    WEB / "playground.html": HTML.replace("console", "playground"),
    WEB / "playground/main.js": 'import { words } from "../common/words.js"; alert(words);',
    WEB / "playground/sandbox_frame.js": "(() => { parent.postMessage(1, '*'); })();",
    WEB / "common/words.js": f'export const words = "{"spoken " * 200}";',
    WEB / "style/console.css": '@import "./base.css"; p { margin: 0 }',
    WEB / "style/playground.css": '@import "./base.css";',
    WEB / "style/base.css": ".card { color: #abcdef }",
    WEB / "static/icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    CLIENT / "src/index.js": "export class Session { constructor(words) { console.log(words); } }",
    CLIENT / "src/worklets/player.js": 'registerProcessor("p", class extends Object {});',
    CLIENT
    / "widget/antiphon-widget.js": 'import { Session } from "../src/index.js"; Session.x = 1;',
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of small sources; what esbuild needs is installed."""
    for path, text in SOURCES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / WEB / name, tmp_path / WEB / name)
    (tmp_path / WEB / "node_modules").symlink_to(ROOT / WEB / "node_modules")
    (tmp_path / "tools").mkdir()
    for name in ("web.py", "web_sources.py"):
        shutil.copy(ROOT / "tools" / name, tmp_path / "tools" / name)
    return tmp_path


def _assets(checkout: Path) -> dict[str, str]:
    """Name and text of each asset that is no map and not compressed."""
    home = checkout / BUILT / "assets"
    return {
        path.relative_to(home).as_posix(): path.read_text("utf-8")
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.suffix not in {".gz", ".map"}
    }


def _with_hashes_out(names: set[str]) -> set[str]:
    return {re.sub(r"-[A-Z0-9]{8}\.", "-HASH.", name) for name in names}


def test_pages_and_the_sdk_are_bundled(checkout: Path) -> None:
    """What pages load is named after its content; what others load keeps its name."""
    assert build(checkout)
    assets = _assets(checkout)
    assert _with_hashes_out(set(assets)) == {
        "antiphon-widget.js", "antiphon.js", "chunk-HASH.js", "console-HASH.css",
        "console-HASH.js", "icon.svg", "licences.txt", "playground-HASH.css",
        "playground-HASH.js", "playground-sandbox-HASH.js", "worklets/player.js",
    }  # fmt: skip
    assert "export{" in assets["antiphon.js"]
    assert "import" not in assets["antiphon-widget.js"]


def test_a_page_names_the_assets_that_were_made(checkout: Path) -> None:
    """And says which chunks it will need, so that they come at the same time."""
    build(checkout)
    page = (checkout / BUILT / "console.html").read_text("utf-8")
    assets = _assets(checkout)
    (code,) = (name for name in assets if name.startswith("console-") and name.endswith(".js"))
    assert f'src="/assets/{code}"' in page
    assert "/assets/console.js" not in page
    hints = re.findall(r'rel="modulepreload" href="/assets/([^"]+)"', page)
    assert hints
    assert all("spoken" in assets[name] or "Session" in assets[name] for name in hints)


def test_what_waits_is_not_loaded_at_first(checkout: Path) -> None:
    """A dynamic import stays in a file of its own: the chart library, here."""
    build(checkout)
    assets = _assets(checkout)
    page = (checkout / BUILT / "console.html").read_text("utf-8")
    with_it = [name for name, text in assets.items() if "u-legend" in text]
    assert with_it
    assert not [name for name in with_it if name in page or name.startswith("console-")]


def test_what_others_wrote_comes_with_its_licence(checkout: Path) -> None:
    """Its name, its version and its text; what only builds is not in the pages."""
    build(checkout)
    text = _assets(checkout)["licences.txt"]
    assert "uplot 1." in text
    assert "Permission is hereby granted" in text
    assert "esbuild" not in text


def test_larger_files_are_compressed(checkout: Path) -> None:
    """Always to the same bytes; small ones would save nothing."""
    build(checkout)
    home = checkout / BUILT
    packed = sorted(path.relative_to(home).as_posix() for path in home.rglob("*.gz"))
    assert any(name.startswith("assets/chunk-") for name in packed)
    assert "assets/icon.svg.gz" not in packed
    for name in packed:
        plain = (home / name).with_suffix("")
        assert gzip.decompress((home / name).read_bytes()) == plain.read_bytes()
        assert (home / name).read_bytes() == gzip.compress(plain.read_bytes(), 9, mtime=0)


def test_nothing_is_built_twice(checkout: Path) -> None:
    """Until a source changes; then everything is new, and nothing old stays."""
    assert build(checkout)
    first = set(_assets(checkout))
    assert not build(checkout)
    (checkout / WEB / "console/main.js").write_text("console.log('another one')")
    assert build(checkout)
    assert not first >= set(_assets(checkout))
    assert not any(path.name.startswith("built.") for path in (checkout / BUILT).parent.iterdir())


def test_the_same_sources_make_the_same_pages(checkout: Path) -> None:
    """Whatever was there before."""
    build(checkout)
    first = _assets(checkout)
    shutil.rmtree(checkout / BUILT)
    build(checkout)
    assert _assets(checkout) == first


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        (WEB / "console/main.js", "let = ;", r"console/main\.js:1"),
        (WEB / "console/main.js", 'import "./gone.js";', "Could not resolve"),
        (WEB / "console/main.js", 'import "not-pinned";', "Could not resolve"),
        (WEB / "console.html", HTML.replace("console.js", "other.js"), "console.html refers to"),
    ],
)
def test_a_mistake_is_told_and_the_old_pages_stay(
    checkout: Path, path: Path, text: str, told: str
) -> None:
    """With the place; and the next build tries again."""
    build(checkout)
    before = _assets(checkout)
    (checkout / path).write_text(text)
    with pytest.raises(SetupError, match=told):
        build(checkout)
    assert _assets(checkout) == before
    assert not are_built(checkout)


def test_a_machine_without_npm_is_told(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where something has to be installed."""
    (checkout / WEB / "node_modules").unlink()
    monkeypatch.setenv("PATH", str(checkout))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SetupError, match=r"need npm, which comes with Node \d+ or newer"):
        build(checkout)


def test_a_machine_that_esbuild_is_not_made_for_is_told(checkout: Path, tmp_path: Path) -> None:
    """What is for other machines is left out by npm without a word."""
    (checkout / WEB / "node_modules").unlink()
    modules = checkout / WEB / "node_modules"
    modules.mkdir()
    (modules / ".antiphon-lock").write_text(web._wanted(checkout))
    with pytest.raises(SetupError, match="no esbuild for this kind of machine"):
        build(tmp_path)


def test_the_command_is_silent_when_all_is_well(checkout: Path) -> None:
    """And says what is wrong in a sentence otherwise."""
    for name in ("commands.py", "npm.py"):
        shutil.copy(ROOT / "tools" / name, checkout / "tools" / name)
    command = [sys.executable, "-S", str(checkout / "tools/web.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (checkout / WEB / "console/main.js").write_text("let = ;")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("antiphon: the web pages cannot be built. ")
    assert "Traceback" not in done.stderr


def test_a_name_that_is_not_bundled_is_left_as_it_is(tmp_path: Path) -> None:
    """A file from static/ has no hash."""
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "console-ABCD2345.js").write_text("code")
    html = '<head><link href="/assets/icon.svg"><script src="/assets/console.js"></script></head>'
    made = [Output("console-ABCD2345.js", "console", (), ("chunk-ABCD2345.js",))]
    assert with_names(html, "page.html", tmp_path, made) == (
        '<head><link href="/assets/icon.svg"><script src="/assets/console-ABCD2345.js"></script>'
        '<link rel="modulepreload" href="/assets/chunk-ABCD2345.js"></head>'
    )


def test_a_package_without_a_licence_is_not_passed_on(tmp_path: Path) -> None:
    """Nobody would know what they may do with it."""
    home = tmp_path / "node_modules/@scope/name"
    home.mkdir(parents=True)
    (home / "package.json").write_text('{"name": "@scope/name", "version": "1.0.0", "license": ""}')
    made = [Output("a.js", "a", ("node_modules/@scope/name/src/deep.js", "console/main.js"), ())]
    with pytest.raises(SetupError, match="@scope/name brings no licence"):
        licences(tmp_path, made)
