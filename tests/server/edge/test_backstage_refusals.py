"""What a server says that cannot start because of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon_server.edge.backstage import Backstage, StartFailed
from antiphon_server.settings import read


@pytest.mark.parametrize("setting", ["ANTIPHON_DATA_DIR", "ANTIPHON_JOURNAL_DIR"])
def test_a_folder_that_cannot_be_made_is_told_with_the_setting_to_change(
    tmp_path: Path, setting: str
) -> None:
    """Not with the name of another one."""
    (tmp_path / "file").touch()
    environment = {"ANTIPHON_DATA_DIR": str(tmp_path / "data"), setting: str(tmp_path / "file")}
    with pytest.raises(StartFailed, match=setting):
        Backstage(read(environment))
