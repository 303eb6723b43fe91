"""Which credentials open a session, and which may use the REST API."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

import structlog
from msgspec.structs import replace

from antiphon_protocol.errors import InternalError, Unauthorized
from antiphon_server.security import key_text
from antiphon_server.security.admission import ANYBODY, Admission
from antiphon_server.security.stored_keys import StoredKeys
from antiphon_server.security.tokens import Tokens
from antiphon_server.store.database import Unreachable
from antiphon_server.store.keys import KeyStore, StoredKey

log = structlog.get_logger()

TOKEN_SCOPES = ("calls",)
CANNOT_CHECK = "Credentials cannot be checked at the moment; try again"
_NOTHING = bytes(hashlib.sha256().digest_size)


class Keys:
    """The keys of the settings and those that were created; with none, everybody is let in.

    A key of the settings has an account of its own, its digest, and every scope. ``tokens`` are
    the temporary tokens that the keys' owners asked for; ``store`` has the created keys, whose
    digests were made under ``pepper``. ``clock`` gives seconds that never run backwards.
    """

    def __init__(
        self,
        keys: tuple[str, ...],
        tokens: Tokens | None = None,
        store: KeyStore | None = None,
        pepper: bytes = b"",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        digests = tuple(hashlib.sha256(key.encode()).digest() for key in keys)
        self._digests = digests
        self._ids = frozenset(_settings_id(digest) for digest in digests)
        self._tokens = Tokens() if tokens is None else tokens
        self._stored = None if store is None else StoredKeys(store, clock)
        self._pepper = pepper

    async def is_open(self) -> bool:
        """Whether everybody is let in: no key is in the settings, and none was ever created.

        Raises ``Unreachable`` where that is not known.
        """
        if self._digests or self._stored is None:
            return not self._digests
        return not await self._stored.exist()

    async def admit(self, presented: str | None, origin: str | None = None) -> Admission:
        """The sessions that a key or a token allows to a client of this origin (None: no page).

        Raises ``Unauthorized`` for anything else, and ``InternalError`` where the database would
        have to say. Nothing is used up; that is ``spend``, once there is room for the session.
        """
        try:
            found = await self._of_token(presented) or await self.owner(presented)
        except Unreachable as failure:
            raise InternalError(CANNOT_CHECK) from failure
        if not found.is_for("calls") or not found.is_from(origin):
            raise Unauthorized
        return found

    async def owner(self, presented: str | None) -> Admission:
        """What a key allows, wherever it is used from.

        Raises ``Unauthorized`` unless the credential is one of the keys: a token is none, or it
        could prolong itself. Raises ``Unreachable``.
        """
        given = presented or ""
        found = self._of_settings(given) or await self._of_store(given)
        if found is not None:
            return found
        if await self.is_open():
            return Admission(account=ANYBODY)
        raise Unauthorized

    def spend(self, presented: str | None, admission: Admission) -> bool:
        """A session opens with a credential that was admitted; a one-time token is used up.

        False when another session was faster: then this one must not open.
        """
        return not admission.by_token or self._tokens.spend(presented or "")

    def mint(self, owner: Admission, session_seconds: int, window_seconds: int) -> str:
        """A temporary token for sessions, in the name of a key and with its limits.

        Raises ``TooManyTokens``.
        """
        grant = replace(owner, session_seconds=session_seconds, scopes=TOKEN_SCOPES, by_token=True)
        return self._tokens.mint(grant, window_seconds)

    async def close(self) -> None:
        """Returns once nothing of the database is used any more."""
        if self._stored is not None:
            await self._stored.close()

    def _of_settings(self, given: str) -> Admission | None:
        # Every key is compared, so that the time taken tells nothing, not even which it was.
        digest = hashlib.sha256(given.encode("utf-8", "surrogatepass")).digest()
        matches = [hmac.compare_digest(digest, key) for key in self._digests]
        if not any(matches):
            return None
        return Admission(account=digest.hex(), key_id=_settings_id(digest))

    async def _of_store(self, given: str) -> Admission | None:
        key_id = key_text.id_of(given)
        if key_id is None or self._stored is None:
            return None
        key = await self._stored.find(key_id)
        # An unknown id takes as long as a wrong secret.
        digest = key_text.digest(self._pepper, given)
        is_right = hmac.compare_digest(digest, _NOTHING if key is None else key.digest)
        if key is None or not is_right:
            self._warn_of_pepper(key)
            return None
        if not key.is_good(time.time()):
            return None
        self._stored.used(key_id)
        return key.admission

    async def _of_token(self, presented: str | None) -> Admission | None:
        """What a token allows, while the key is good that it was minted with."""
        grant = self._tokens.find(presented) if presented else None
        if grant is None:
            return None
        if grant.key_id in self._ids:
            return grant
        if grant.key_id is None:
            return grant if await self.is_open() else None
        key = None if self._stored is None else await self._stored.find(grant.key_id)
        if key is not None and key.is_good(time.time()):
            return grant
        self._tokens.revoke(grant.key_id)
        return None

    def _warn_of_pepper(self, key: StoredKey | None) -> None:
        """To the operator: nobody else can tell why a key that was just created is refused."""
        if key is not None and key_text.mark_of(key.digest) != key_text.mark(self._pepper):
            log.warning(
                "key was created under another secret key; see ANTIPHON_SECRET_KEYS", key=key.id
            )


def _settings_id(digest: bytes) -> str:
    return f"env_{digest.hex()[:16]}"
