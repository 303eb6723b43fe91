"""The AsyncAPI document, judged by the official parser."""

from __future__ import annotations

import json
import subprocess

from antiphon_protocol import codec
from generators.asyncapi import document, outputs
from node_tools import NODE, NODE_ROOT
from wire_model import CLIENT_MESSAGES, SERVER_MESSAGES

ERROR, WARNING = 0, 1


def test_the_official_parser_has_nothing_against_it() -> None:
    """It also holds every example against its payload. Hints that 3.1 exists are no warnings."""
    done = subprocess.run(
        [NODE, "parse_asyncapi.mjs"],
        cwd=NODE_ROOT,
        input="".join(outputs().values()),
        capture_output=True,
        check=True,
        text=True,
    )
    said = json.loads(done.stdout)
    assert [it for it in said["diagnostics"] if it["severity"] in {ERROR, WARNING}] == []
    assert len(said["messages"]) == len(CLIENT_MESSAGES) + len(SERVER_MESSAGES)


def test_every_example_decodes() -> None:
    """With the codec, in the direction of its operation."""
    whole = document()
    decoders = {"receiveFromClient": codec.decode_client, "sendToClient": codec.decode_server}
    for operation, decode in decoders.items():
        for reference in whole["operations"][operation]["messages"]:
            name = reference["$ref"].rsplit("/", 1)[-1]
            message = whole["components"]["messages"][name]
            assert message["examples"]
            for example in message["examples"]:
                assert type(decode(json.dumps(example["payload"]))).__name__ == name


def test_every_message_has_a_name_a_title_and_a_summary() -> None:
    """From the class: its tag, its name and its docstring."""
    for name, message in document()["components"]["messages"].items():
        assert message["title"] == name
        assert message["name"].count(".") >= 1
        assert message["summary"].endswith(".")


def test_a_reference_stands_alone() -> None:
    """In this dialect keys beside ``$ref`` would be ignored."""

    def check(schema: object) -> None:
        if isinstance(schema, list):
            for item in schema:
                check(item)
        if isinstance(schema, dict):
            assert "$ref" not in schema or len(schema) == 1
            for item in schema.values():
                check(item)

    check(document())
