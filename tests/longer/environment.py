"""The longer suite's own environments, made as `.venv` is, from locks, by hash.

`.cache/longer` has a llama.cpp server and the `gguf` package. llama-cpp-python has no wheel on
PyPI and is compiled once: about four minutes of one fast core. What compiles it is pinned by the
same lock. `.cache/litellm` has the LiteLLM proxy: 600 MB of wheels, nothing to compile.
"""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import installers
from commands import SetupError

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".cache/longer"
PYTHON = ENVIRONMENT / "bin/python"
LITELLM_ENVIRONMENT = ROOT / ".cache/litellm"
LITELLM = LITELLM_ENVIRONMENT / "bin/litellm"

_BOOTSTRAP = ROOT / "requirements/bootstrap.txt"
_LOCK = ROOT / "requirements/longer.txt"
_LITELLM_LOCK = ROOT / "requirements/litellm.txt"
_STAMP = "antiphon-longer.stamp"

_CMAKE_ARGS = (
    # Faster to compile and fast enough for a model of some kilobytes.
    '-DCMAKE_C_FLAGS_RELEASE="-O1 -DNDEBUG"',
    '-DCMAKE_CXX_FLAGS_RELEASE="-O1 -DNDEBUG"',
    # What the compiling machine has need not be what a machine with a copy of the cache has.
    "-DGGML_NATIVE=OFF",
    # One library fewer to need; one thread is enough.
    "-DGGML_OPENMP=OFF",
    "-DLLAVA_BUILD=OFF",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
)


def require_compilers(environ: Mapping[str, str]) -> None:
    """Raise SetupError where no C or no C++ compiler is found on the path or in CC and CXX."""
    needed = {
        "a C compiler (gcc)": environ.get("CC") or "cc",
        "a C++ compiler (g++)": environ.get("CXX") or "c++",
    }
    missing = [
        what
        for what, command in needed.items()
        if shutil.which(command.split()[0], path=environ.get("PATH")) is None
    ]
    if missing:
        raise SetupError(
            f"llama-cpp-python has to be compiled, and {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing. "
            "On Debian, apt-get install gcc g++ brings both; cmake and ninja come from PyPI."
        )


def set_up() -> None:
    """Make the environments, unless they are as the locks are. Raises SetupError."""
    _make(LITELLM_ENVIRONMENT, _LITELLM_LOCK, _nothing)
    _make(ENVIRONMENT, _LOCK, _prepare_to_compile)


def _make(environment: Path, lock: Path, prepare: Callable[[], None]) -> None:
    """Make one of them; prepare first where that is needed."""
    stamp = environment / _STAMP
    wanted = f"{sys.version} {ROOT}\n{_BOOTSTRAP.read_text()}{lock.read_text()}"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    prepare()
    installers.make_environment(environment, _BOOTSTRAP, installers.bundled_pip())
    installers.sync(environment, [_BOOTSTRAP, lock])
    stamp.write_text(wanted)


def _nothing() -> None:
    """Wheels need no preparation."""


def _prepare_to_compile() -> None:
    """Look for compilers and tell them what to make, in the environment of this process."""
    require_compilers(os.environ)
    sys.stderr.write("antiphon: compiling llama.cpp for the longer tests, which takes minutes\n")
    os.environ["CMAKE_ARGS"] = " ".join(_CMAKE_ARGS)
    # Otherwise what compiles would be whatever is newest that day.
    os.environ["UV_BUILD_CONSTRAINT"] = os.environ["PIP_BUILD_CONSTRAINT"] = str(_LOCK)


def main() -> int:
    """Set up the environment; return the exit status."""
    try:
        set_up()
    except SetupError as error:
        sys.stderr.write(f"antiphon: the longer tests cannot run. {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
