"""The reference page."""

from __future__ import annotations

import re

import pytest

from antiphon_protocol import codec
from antiphon_protocol.errors import CODES
from generators.reference_page import PATH, outputs
from wire_model import CLIENT_MESSAGES, SERVER_MESSAGES, definitions, tag

PAGE = outputs()[PATH]


def test_every_message_has_a_section_in_its_half() -> None:
    """With an example."""
    client, server = PAGE.split("\n## Messages from the server\n")
    for half, kinds in ((client, CLIENT_MESSAGES), (server, SERVER_MESSAGES)):
        for kind in kinds:
            assert half.count(f"\n### `{tag(kind)}`\n") == 1


def test_every_example_decodes() -> None:
    """Those of the messages and those of the annotated session, each as what its section says."""
    client, server = PAGE.split("\n## Messages from the server\n")
    server = server.split("\n## The session object\n")[0]
    of_client = re.findall(r"```json\n(.*)\n```", client) + re.findall(r"\n> (.*)", PAGE)
    of_server = re.findall(r"```json\n(.*)\n```", server) + re.findall(r"\n< (.*)", PAGE)
    assert len(of_client) > len(CLIENT_MESSAGES)
    assert len(of_server) > len(SERVER_MESSAGES)
    for example in of_client:
        codec.decode_client(example)
    for example in of_server:
        assert codec.decode_server(example) is not None


def test_every_field_is_in_the_table_of_its_struct() -> None:
    """With type, requirement, default, range and meaning."""
    row = next(
        line
        for line in PAGE.split("\n### TurnDetectionUpdate\n")[1].splitlines()
        if line.startswith("| `min_silence`")
    )
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
    assert cells[1:5] == [r"`number \| null`", "no", "`1000`", "50 to 10000"]
    for schema in definitions().values():
        for name in schema["properties"]:
            assert name == "type" or f"\n| `{name}` |" in PAGE


def test_every_table_has_as_many_cells_as_its_head() -> None:
    """A bar in a type would break a row."""
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        widths = {len(re.split(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1


@pytest.mark.parametrize("code", CODES)
def test_every_error_says_whether_the_socket_stays_open(code: str) -> None:
    """Or which close code follows."""
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{code}` |"))
    assert re.search(r"\| (stays open|1008|1011|1008 on the first update) \|$", row)


def test_links_lead_to_sections() -> None:
    """The page is read in a browser."""
    anchors = {line[4:].lower() for line in PAGE.splitlines() if line.startswith("### ")}
    for target in re.findall(r"\]\(#([a-z]+)\)", PAGE):
        assert target in anchors
