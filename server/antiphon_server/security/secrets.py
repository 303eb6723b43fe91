"""Secrets at rest: sealed with AES-256-GCM under a key that is not in the database.

A sealed text is ``1 | key id (8 bytes) | nonce (12 bytes) | ciphertext and tag``; what it
belongs to, its context, is authenticated with it, so that a row copied into another row does
not open. Keys rotate: the first seals, all open.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
KEY_FILE = "secret.key"

_VERSION = b"\x01"
_ID_BYTES = 8
HEAD_BYTES = len(_VERSION) + _ID_BYTES
_NONCE_BYTES = 12
"""Random, which is safe for 2**32 texts under one key (NIST SP 800-38D, section 8.3)."""
_START_BYTES = HEAD_BYTES + _NONCE_BYTES


class Unsealable(Exception):
    """A sealed text is not whole, belongs elsewhere, or its key is gone."""


class KeyFault(Exception):
    """A key that cannot be used; the message says which and what to do, and no key."""


class Vault:
    """Seals and opens with keys of 32 bytes: the first seals, all open."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise KeyFault(f"a key that seals secrets must have {KEY_BYTES} bytes")
        self._ciphers = {_derived(key, "key id", _ID_BYTES): _cipher(key) for key in keys}
        self._sealing = next(iter(self._ciphers))
        self.heads = frozenset(_VERSION + key_id for key_id in self._ciphers)
        """How each text begins that opens, in ``HEAD_BYTES``; they tell nothing of the keys."""
        self.pepper = _derived(keys[-1], "pepper", KEY_BYTES)
        """For HMACs that must not be checked without it. The last key's, so that it stays while
        new keys are put in front.
        """

    def __repr__(self) -> str:
        """Without keys."""
        return f"Vault({len(self._ciphers)} keys)"

    def seal(self, plain: bytes, context: str) -> bytes:
        """The sealed text, 37 bytes longer; it opens in the same context only."""
        head = _VERSION + self._sealing
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = self._ciphers[self._sealing]
        return head + nonce + cipher.encrypt(nonce, plain, head + context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """What was sealed. Raises ``Unsealable``."""
        head, nonce = sealed[:HEAD_BYTES], sealed[:_START_BYTES][-_NONCE_BYTES:]
        cipher = self._ciphers.get(head.removeprefix(_VERSION))
        if cipher is None or len(sealed) < _START_BYTES or not head.startswith(_VERSION):
            raise Unsealable("no key of this server opens it")
        try:
            return cipher.decrypt(nonce, sealed[_START_BYTES:], head + context.encode())
        except InvalidTag:
            raise Unsealable("it was changed, or belongs elsewhere") from None


def load_keys(configured: Iterable[str], data_dir: Path) -> Vault:
    """The vault of configured keys, each 32 bytes in base64; with none, of the key in a file of
    ``data_dir``, which is made when it is not there. Raises ``KeyFault``.
    """
    keys = tuple(configured)
    if keys:
        return Vault(tuple(_decoded(key, "ANTIPHON_SECRET_KEYS") for key in keys))
    path = data_dir / KEY_FILE
    try:
        _make(path)
        return Vault((_decoded(_read(path), str(path)),))
    except OSError as failure:
        told = f"{path} cannot be used: {failure.strerror or failure}"
        raise KeyFault(f"{told}; set ANTIPHON_DATA_DIR or ANTIPHON_SECRET_KEYS") from failure


def _read(path: Path) -> str:
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFault(f"{path} may be read by others: chmod 600 {path}, and rotate the key")
    return path.read_text("ascii", errors="replace").strip()


def _make(path: Path) -> None:
    """Writes a new key unless the file is there; whole or not at all, also when two do it."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES))
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with open(draft, "wb", opener=_private) as file:
        file.write(key + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # Unlike a rename it does not replace the key another process made meanwhile.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    _sync(path.parent)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _sync(folder: Path) -> None:
    """The folder's entries are on the disk: a key that is gone after a crash opens nothing."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFault(
            f"{where}: a key must be {KEY_BYTES} bytes in base64, as `openssl rand -base64 32` "
            "prints them"
        )
    return key


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(_derived(key, "seal", KEY_BYTES))


def _derived(key: bytes, purpose: str, length: int) -> bytes:
    """A key for one purpose only, which tells nothing about the others (RFC 5869)."""
    return HKDF(SHA256(), length, salt=None, info=f"antiphon {purpose}".encode()).derive(key)
