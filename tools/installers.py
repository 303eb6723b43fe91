"""Python packages are installed from locks, by hash: uv does it, pip where uv cannot.

The machine's own configuration decides where packages come from. pip reads its configuration
itself; uv does not read pip's, so what is set there is passed on.
Standard library only: it runs on a machine where nothing is installed yet.
"""

import ast
import importlib.util
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path

from commands import SetupError, run
from debian import unpack

# pip's setting -> the variable by which uv takes the same. `extra-index-url` is not among them: of
# one version uv takes the files of one index only, so an extra one that mirrors just some of them
# would give a wheel without its library. What only such an index has is left to pip.
_UV_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}

_UV_LIKE_PIP = {
    # The machine's certificate authorities count, an organisation's own among them.
    "UV_SYSTEM_CERTS": "true",
    # Hard links into a cache would let an edit in .venv reach every other environment.
    "UV_LINK_MODE": "copy",
}


def bundled_pip() -> Path | None:
    """Return the pip wheel that came with this Python; None on a Debian without python3-venv."""
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR")]
    spec = importlib.util.find_spec("ensurepip")
    if spec is not None and spec.origin is not None:
        folders.append(str(Path(spec.origin).parent / "_bundled"))
    wheels = [wheel for folder in folders if folder for wheel in Path(folder).glob("pip-*.whl")]
    return wheels[0] if wheels else None


def debian_pip(scratch: Path) -> Path:
    """Unpack Debian's pip wheel into `scratch` and return it. Raises SetupError."""
    try:
        unpack(["python3-pip-whl"], scratch)
    except SetupError as error:
        advice = "This Python brings no pip; on Debian, apt-get install python3-venv does."
        raise SetupError(f"{error}\n{advice}") from error
    return next(scratch.rglob("pip-*.whl"))


def make_environment(venv: Path, bootstrap: Path, pip: Path | None) -> None:
    """Make the virtual environment `venv` with the pip and uv that the lock `bootstrap` pins.

    `pip` is a pip wheel; without one, Debian's is downloaded. Debian's Python may lack what
    `venv` needs to install pip, so the wheel is run from where it lies. Raises SetupError.
    """
    run("making .venv", [sys.executable, "-m", "venv", "--without-pip", "--clear", venv])
    with tempfile.TemporaryDirectory(prefix="antiphon-pip-") as scratch:
        wheel = pip or debian_pip(Path(scratch))
        install = [
            "install",
            "--quiet",
            "--require-hashes",
            "--only-binary=:all:",
            "-r",
            str(bootstrap),
        ]
        python = venv / "bin/python"
        run("installing pip and uv", [str(python), str(wheel / "pip"), *install])


def sync(venv: Path, locks: list[Path]) -> None:
    """Make `venv` hold exactly what `locks` pin. Raises SetupError."""
    names = [str(lock) for lock in locks]
    _uv_or_pip(
        "installing the pinned packages",
        venv,
        ["sync", "--require-hashes", *names],
        ["install", "--require-hashes", *(word for name in names for word in ("-r", name))],
    )


def add(venv: Path, lock: Path) -> None:
    """Put into `venv`, beside what it has, what `lock` pins. Raises SetupError."""
    words = ["install", "--no-deps", "--require-hashes", "-r", str(lock)]
    _uv_or_pip("installing what is needed besides", venv, words, words)


def install_project(venv: Path, root: Path) -> None:
    """Make the checkout at `root` importable in `venv`, with its commands. Raises SetupError.

    Dependencies are not looked at: the lock has them, the build backend too.
    """
    words = ["install", "--no-deps", "--no-build-isolation", "--editable", str(root)]
    _uv_or_pip("installing the project", venv, words, words)


def _uv_or_pip(what: str, venv: Path, uv_words: list[str], pip_words: list[str]) -> None:
    """Run `uv pip` with `uv_words`, or if that fails `pip` with `pip_words`, on `venv`."""
    python = str(venv / "bin/python")
    pip = [python, "-m", "pip"]
    settings = uv_settings(run("reading pip's configuration", [*pip, "config", "list"]))
    uv = [str(venv / "bin/uv"), "pip", uv_words[0], "--python", python, *uv_words[1:]]
    try:
        run(what, uv, env=settings)
    except SetupError as uv_error:
        try:
            run(what, [*pip, *pip_words])
        except SetupError as pip_error:
            raise SetupError(f"{pip_error}\nBefore pip, uv failed too. {uv_error}") from pip_error


def uv_settings(pip_config: str) -> Mapping[str, str]:
    """Return uv's settings for what `pip config list` printed as `pip_config`.

    Lines that are no `section.name='value'` are passed over. A variable of the environment
    (`:env:`) wins over a file, as it does with pip. Several values are separated by white space.
    """
    found: dict[str, str] = {}
    for line in sorted(pip_config.splitlines(), reverse=True):  # `:env:` sorts first: read last.
        place, _, written = line.partition("=")
        variable = _UV_VARIABLES.get(place.rpartition(".")[2])
        if variable is None:
            continue
        try:
            value = str(ast.literal_eval(written))
        except (SyntaxError, ValueError):
            continue
        separator = "," if variable == "UV_FIND_LINKS" else " "
        found[variable] = separator.join(value.split())
    return {**_UV_LIKE_PIP, **found}
