"""Files stay small enough to be read at one sitting."""

from house.layout import ROOT, committed_files

LONGEST = 400

# The exceptions, and the reason for each.
LONGER: dict[str, str] = {}

# Not written by a person: generated, locks.
NOT_WRITTEN = ("docs/reference/", "requirements/", "tests/node/package-lock.json")
KINDS = {".py", ".js", ".mjs", ".css", ".sh"}


def test_no_source_file_is_longer_than_400_lines_without_a_reason() -> None:
    """The reason stands in LONGER, beside the file's name."""
    long = {
        str(path)
        for path in committed_files()
        if path.suffix in KINDS
        and not str(path).startswith(NOT_WRITTEN)
        and (ROOT / path).read_text("utf-8").count("\n") > LONGEST
    }
    assert long - set(LONGER) == set()


def test_the_list_of_longer_files_is_not_out_of_date() -> None:
    """A file that became short again, or is gone, leaves the list."""
    for name in LONGER:
        assert (ROOT / name).read_text("utf-8").count("\n") > LONGEST
