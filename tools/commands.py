"""Other programs are run quietly; when one fails, the person reads why and what to do.

Standard library only: it runs on a machine where nothing is installed yet.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# What a program prints, and what it means. The first pattern that is found counts, so causes
# come before their consequences: a full disk also breaks connections to a cache.
_CAUSES = (
    (r"No space left on device|os error 28\b", "the disk is full"),
    (
        r"DO NOT MATCH THE HASHES|[Hh]ash mismatch|EINTEGRITY",
        "a download is not the file that is pinned: a registry or a cache served another one",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|invalid peer certificate|SELF_SIGNED_CERT|TLS CA certificate",
        "a registry's certificate is not trusted (see ca-certificates and SSL_CERT_FILE)",
    ),
    (
        (
            r"Temporary failure|dns error|Name or service not known|NewConnectionError|timed out"
            r"|Connection (refused|reset|timed out)|Could not connect|error sending request"
            r"|Network is unreachable|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN"
        ),
        "a package registry cannot be reached: check the network and any proxy",
    ),
    (
        r"No matching distribution|there (is|are) no versions? of|not found in the .*registry|E404",
        "a package registry has not got what is pinned, for this kind of machine",
    ),
    (r"Permission denied|os error 13\b|EACCES", "this user may not write what is needed"),
)
_TAIL_LINES = 15


class SetupError(Exception):
    """The set-up cannot go on; the message says what is missing and what to do about it."""


def run(
    what: str,
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run `command` to its end and return what it wrote to standard output.

    `what` names the deed for the reader; `env` is added to the environment. Raises SetupError,
    with the likely cause and the last lines printed, if the program is not there or fails.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise SetupError(f"{what}: {words[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        raise SetupError(explain(what, words, done.stdout + done.stderr))
    return done.stdout


def explain(what: str, words: Sequence[str], printed: str) -> str:
    """Return what to tell a person about a command that failed after printing `printed`."""
    cause = next((text for pattern, text in _CAUSES if re.search(pattern, printed)), None)
    lines = [line for line in printed.splitlines() if line.strip()][-_TAIL_LINES:]
    parts = [f"{what}: {cause or 'the command failed'}.", f"  $ {shlex.join(words)}"]
    return "\n".join(parts + [f"  | {line}" for line in lines])
