"""The JavaScript SDK: what it does in Node, what its types allow, what is published."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from antiphon.sound import first_audible
from antiphon.wav import read_wav, write_wav
from antiphon_protocol import __version__
from clients.fake_agent import silence, tone
from clients.js_sdk import PACKAGE, ROOT, TESTS, compiled, node, npm, passes
from hostile.serving import Server, environment, serving
from node_tools import NODE

STRICT = ["--strict", "--noEmit", "--skipLibCheck", "false", "--target", "es2022"]
LIBRARIES = ["--lib", "es2023,dom,dom.iterable", "--types", ""]
MODULES = ["--module", "nodenext"]
EXAMPLES = PACKAGE / "examples"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that behaves as it is told, and calls the tool of an example."""
    script = {
        "ANTIPHON_STT_UTTERANCES": "is it late",
        "ANTIPHON_LLM_TOOL": "order_status",
        "ANTIPHON_LLM_TOOL_ARGUMENTS": '{"number": "7"}',
    }
    with serving(tmp_path_factory.mktemp("server") / "log", **script) as process:
        yield process


@pytest.mark.parametrize("file", sorted(path.name for path in TESTS.glob("*.test.mjs")))
def test_a_file_of_tests_passes_in_node(file: str) -> None:
    """They are about the SDK alone, against servers of their own; and Node ends by itself."""
    passes(file)


def test_base64_is_the_engines_where_it_has_it() -> None:
    """Or not, where it is still trying it out; the bytes are the same."""
    assert "undefined" not in node("--js-base-64", "-p", "Uint8Array.prototype.toBase64")
    passes("parts.test.mjs", "--js-base-64")


def test_sessions_with_a_running_server(tmp_path: Path) -> None:
    """Greeting, speech, text, updates, tokens, a tool, and a connection that is cut."""
    with serving(tmp_path / "log", ANTIPHON_LLM_TOOL="look_up") as server:
        passes("product.mjs", ANTIPHON_URL=server.ws)
        assert server.stop() == 0


def test_the_sources_are_typed() -> None:
    """Their comments satisfy the compiler at its strictest."""
    done = compiled("--project", str(PACKAGE))
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_declarations_say_what_the_sources_do() -> None:
    """They are written by hand, since they say more than could be derived."""
    done = compiled(*STRICT, *LIBRARIES, *MODULES, "--allowJs", str(TESTS / "as_declared.ts"))
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the package is installed as npm would publish it."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text('{"type": "module", "private": true}', "utf-8")
    npm("pack", str(PACKAGE), "--silent", cwd=folder)
    archive = next(folder.glob("antiphon-*.tgz"))
    npm("install", "--no-audit", "--no-fund", str(archive), cwd=folder)
    return folder


def test_the_published_package_has_what_it_needs_and_nothing_else(project: Path) -> None:
    """Sources, types, examples, licence; no test, no configuration of ours."""
    installed = project / "node_modules" / "antiphon"
    names = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert {
        "LICENSE", "README.md", "package.json", "src/index.js", "src/session.js",
        "types/index.d.ts", "types/voice_agent.d.ts",
    } <= names  # fmt: skip
    assert {name.split("/")[0] for name in names} <= {
        "LICENSE", "README.md", "package.json", "src", "types", "examples", "widget",
    }  # fmt: skip
    description = json.loads((installed / "package.json").read_text("utf-8"))
    assert description["version"] == __version__
    assert "dependencies" not in description
    targets = re.findall(r': "(\./[^"*]+)"', json.dumps(description["exports"]))
    assert len(targets) >= 5
    assert [target for target in targets if not (installed / target).is_file()] == []


def test_the_published_package_can_be_imported(project: Path) -> None:
    """In Node, where there is neither a microphone nor a page."""
    program = "import * as all from 'antiphon'; console.log(Object.keys(all).sort().join(' '))"
    names = node("--input-type=module", "-e", program, cwd=project).split()
    assert {"AntiphonError", "Session", "ToolFailed", "fromBase64", "toBase64", "tokenFrom"} <= {
        *names
    }


@pytest.mark.parametrize("resolution", ["nodenext", "bundler"])
def test_typescript_is_helped_by_the_published_types(project: Path, resolution: str) -> None:
    """Events know their details, and each ``@ts-expect-error`` in the file is an error."""
    (project / "consumer.ts").write_text((TESTS / "consumer.ts").read_text("utf-8"), "utf-8")
    module = "nodenext" if resolution == "nodenext" else "preserve"
    options = [*STRICT, *LIBRARIES, "--module", module, "--moduleResolution", resolution]
    done = compiled(*options, "--exactOptionalPropertyTypes", "consumer.ts", cwd=project)
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_compiler_would_notice(project: Path) -> None:
    """Without the expectations the same file fails, once for each of them."""
    usage = (TESTS / "consumer.ts").read_text("utf-8")
    (project / "wrong.ts").write_text(usage.replace("// @ts-expect-error:", "// Wrong:"), "utf-8")
    done = compiled(*STRICT, *LIBRARIES, *MODULES, "wrong.ts", cwd=project)
    assert done.returncode != 0
    assert done.stdout.count("error TS") == usage.count("// @ts-expect-error:")


def test_ask_prints_what_the_agent_says(server: Server) -> None:
    """The smallest example."""
    printed = node(str(EXAMPLES / "ask.mjs"), server.ws)
    assert len(printed.splitlines()) == 1
    assert printed.strip()


def test_speak_a_file_writes_the_answer(server: Server, tmp_path: Path) -> None:
    """With what was understood; a recording of another rate will do."""
    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    write_wav(question, tone(900, 16_000) + silence(100, 16_000), 16_000)
    printed = node(str(EXAMPLES / "speak_a_file.mjs"), str(question), str(answer), server.ws)
    assert "heard:    is it late" in printed.lower()
    assert "answered: " in printed
    assert first_audible(read_wav(answer, 24_000)) is not None


def test_speak_a_file_refuses_what_is_no_recording(tmp_path: Path) -> None:
    """Before it calls anybody."""
    question = tmp_path / "question.wav"
    question.write_bytes(b"no sound")
    arguments = [NODE, str(EXAMPLES / "speak_a_file.mjs"), str(question), "answer.wav"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert "this is no WAV file" in done.stderr


def test_with_tools_answers_the_agents_question(server: Server) -> None:
    """The order is looked up, and the answer spoken."""
    printed = node(str(EXAMPLES / "with_tools.mjs"), server.ws)
    assert 'tool:  order_status {"number":"7"}' in printed
    assert "on its way" in printed.split("agent:")[-1]


def test_the_example_for_browsers_is_served_with_tokens(server: Server) -> None:
    """Its page, its script and the package, and no other file of the machine."""
    with subprocess.Popen(
        [NODE, str(EXAMPLES / "browser" / "server.mjs"), "0"],
        env=environment("/nowhere", ANTIPHON_URL=f"http://{server.host}:{server.port}"),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split()[-1]
            assert "<button" in httpx.get(address).text
            assert "VoiceAgent" in httpx.get(f"{address}/page.js").text
            assert "export" in httpx.get(f"{address}/antiphon/src/index.js").text
            minted = httpx.get(f"{address}/token").json()
            assert minted["token"]
            assert minted["url"] == f"ws://{server.host}:{server.port}"
            for path in ("/server.mjs", "/nothing.js", "/antiphon//etc/hosts.js", "/..%2fx.js"):
                assert httpx.get(f"{address}{path}").status_code == 404, path
        finally:
            process.terminate()


@pytest.mark.parametrize("page", ["clients/js/README.md", "docs/sdk.md"])
def test_the_programs_of_a_guide_run(page: str, project: Path, server: Server) -> None:
    """Each block is a whole program, and ends by itself; only the address is changed."""
    text = (ROOT / page).read_text("utf-8")
    programs = re.findall(r"^```js\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert programs
    for number, program in enumerate(programs):
        file = project / f"{Path(page).stem}_{number}.mjs"
        file.write_text(program.replace("127.0.0.1:8400", f"{server.host}:{server.port}"), "utf-8")
        node(str(file), ANTIPHON_API_KEY="any")


def test_the_pages_of_the_guide_have_scripts_without_mistakes(tmp_path: Path) -> None:
    """A browser would read them; they run in the tests of the pages."""
    pages = re.findall(r"```html\n(.*?)```", (PACKAGE / "README.md").read_text("utf-8"), re.DOTALL)
    assert pages
    for page in pages:
        for script in re.findall(r"<script type=\"module\">(.*?)</script>", page, re.DOTALL):
            (tmp_path / "page.mjs").write_text(script, "utf-8")
            node("--check", str(tmp_path / "page.mjs"))
