"""The variables that a server is set by: those of its process, and of a file that may change.

The file is what systemd's ``EnvironmentFile=`` and ``docker run --env-file`` take: a line each,
``NAME=value``; empty lines and lines that begin with ``#`` count for nothing. A value may stand
in single or double quotes; nothing in it is expanded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path

from antiphon_server.settings import PREFIX, SettingsError

VARIABLE = f"{PREFIX}ENV_FILE"
MOST_BYTES = 1_000_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_QUOTES = ("'", '"')


class Environment:
    """``process`` is the environment of the process; ``path`` names the file, empty for none."""

    def __init__(self, process: MutableMapping[str, str], path: str = "") -> None:
        named = path or process.get(VARIABLE, "").strip()
        self.file = Path(named) if named else None
        self._process = process
        self._given = dict(process)

    def read(self) -> dict[str, str]:
        """All variables as they are now; the file's win. Raises ``SettingsError``."""
        if self.file is None:
            return dict(self._given)
        found = _read(self.file)
        if VARIABLE in found:
            raise SettingsError(f"{self.file} cannot name another file: take {VARIABLE} out of it")
        return {**self._given, **found, VARIABLE: str(self.file)}

    def use(self, variables: Mapping[str, str]) -> Callable[[], None]:
        """Puts what is no setting, such as vendors' keys, where its readers look for it: into the
        process. Returns what undoes it.
        """
        before = dict(self._process)
        wanted = {name: text for name, text in variables.items() if not name.startswith(PREFIX)}
        self._become(wanted)
        return lambda: self._become(before)

    def foreign(self) -> dict[str, str]:
        """What is no setting, as the process has it now."""
        return {n: text for n, text in self._process.items() if not n.startswith(PREFIX)}

    def _become(self, wanted: Mapping[str, str]) -> None:
        for name in self.foreign().keys() - wanted.keys():
            del self._process[name]
        for name, text in wanted.items():
            if self._process.get(name) != text:
                self._process[name] = text


def _read(path: Path) -> dict[str, str]:
    """The variables in a file. Raises ``SettingsError``, which repeats no value."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        text = raw.decode()
    except OSError as failure:
        raise SettingsError(f"{path} cannot be read: {failure.strerror or failure}") from failure
    except UnicodeDecodeError as wrong:
        raise SettingsError(f"{path} is no text in UTF-8") from wrong
    if len(raw) > MOST_BYTES:
        raise SettingsError(f"{path} has more than {MOST_BYTES} bytes")
    found: dict[str, str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            name, value = _entry(entry, f"line {number} of {path}")
            found[name] = value
    return found


def _entry(entry: str, place: str) -> tuple[str, str]:
    name, equals, value = entry.removeprefix("export ").partition("=")
    name, value = name.strip(), value.strip()
    if not equals or not _NAME.fullmatch(name):
        raise SettingsError(f"{place} is not NAME=value")
    if value[:1] in _QUOTES:
        if len(value) == 1 or value[-1] != value[0]:
            raise SettingsError(f"{place} begins with a quote that does not end")
        value = value[1:-1]
    if "\0" in value:
        raise SettingsError(f"{place} has a NUL in it")
    return name, value
