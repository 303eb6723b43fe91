"""A published wheel carries the two model files and their licences, so that it works offline.

They are not in the repository or the source distribution: the build takes them from pinned
wheels, as the set-up does. An editable install needs nothing: it sees the checkout's own files.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ModelFilesHook(BuildHookInterface[Any]):
    """Adds the model files to a wheel; raises SetupError if they cannot be had."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch the files if need be and tell hatchling about them; `version` is the kind."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "tools"))
        try:
            import model_files  # noqa: PLC0415 - tools/ is no package; see the line above.
        finally:
            sys.path.pop(0)
        model_files.fetch(root)
        for path in sorted((root / model_files.FOLDER).iterdir()):
            target = Path("antiphon_providers/local/models") / path.name
            build_data["force_include"][str(path)] = str(target)
