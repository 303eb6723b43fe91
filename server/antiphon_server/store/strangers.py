"""What of a database was made under other secret keys than this server's.

Such an API key is refused for ever, and such a secret never opens: both fail one by one, at each
use. Whoever starts a server with the wrong secret keys is to hear of it at once.
"""

from __future__ import annotations

import time

import sqlalchemy as sa
from msgspec import Struct

from antiphon_server.security import key_text
from antiphon_server.security.secrets import HEAD_BYTES, Vault
from antiphon_server.store import keys
from antiphon_server.store.tables import agents, webhook_subscriptions

SEALED = (agents.c.secrets, webhook_subscriptions.c.secret)
"""What is kept for long; the secrets of single sessions and deliveries go with these."""
SHOWN = 3
WHAT_TO_DO = (
    "give this server the ANTIPHON_SECRET_KEYS, or the file secret.key in ANTIPHON_DATA_DIR, "
    "that they were made with"
)


class Strangers(Struct, frozen=True):
    """Ids of good API keys that were made under another secret key and of those that were not,
    and how many secrets do not open.
    """

    keys: tuple[str, ...]
    own_keys: tuple[str, ...]
    secrets: int

    @property
    def shuts_out(self) -> bool:
        """Whether every API key there is will be refused."""
        return bool(self.keys) and not self.own_keys

    def __str__(self) -> str:
        """Both in words, with what to do."""
        shown = ", ".join(self.keys[:SHOWN]) + ("…" if self.keys[SHOWN:] else "")
        parts = [f"API keys ({shown})"] if self.keys else []
        parts += [f"{self.secrets} secrets of agents and webhooks"] if self.secrets else []
        return f"{' and '.join(parts)} were made under another secret key: {WHAT_TO_DO}"


def strangers(connection: sa.Connection, vault: Vault) -> Strangers:
    """What a server with this vault will have to refuse."""
    now = time.time()
    mark = key_text.mark(vault.pepper)
    good = [key for key in keys.every(connection) if key.is_good(now)]
    foreign = tuple(key.id for key in good if key_text.mark_of(key.digest) != mark)
    own = tuple(key.id for key in good if key_text.mark_of(key.digest) == mark)
    return Strangers(foreign, own, sum(_unopenable(connection, one, vault) for one in SEALED))


def _unopenable(connection: sa.Connection, column: sa.Column[bytes], vault: Vault) -> int:
    head = sa.func.substr(column, 1, HEAD_BYTES)
    query = sa.select(head, sa.func.count()).where(column.is_not(None)).group_by(head)
    return sum(
        count for found, count in connection.execute(query) if bytes(found) not in vault.heads
    )
