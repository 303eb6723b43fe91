"""Secrets at rest: what opens, what does not, and where the key comes from."""

from __future__ import annotations

import base64
import re
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.security.secrets import (
    HEAD_BYTES,
    KEY_FILE,
    KeyFault,
    Unsealable,
    Vault,
    load_keys,
)

OLD = bytes(range(32))
NEW = bytes(reversed(OLD))
VAULT = Vault((NEW, OLD))


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()


@given(plain=st.binary(max_size=200), context=st.text(max_size=40))
def test_what_was_sealed_opens_in_its_context(plain: bytes, context: str) -> None:
    """And each time the sealed text is another one, without the plain one in it."""
    sealed = VAULT.seal(plain, context)
    assert VAULT.open(sealed, context) == plain
    assert VAULT.seal(plain, context) != sealed
    assert len(sealed) == len(plain) + 37
    assert len(plain) < 8 or plain not in sealed


@given(
    plain=st.binary(max_size=60),
    contexts=st.lists(st.text(max_size=20), min_size=2, max_size=2, unique=True),
)
def test_it_opens_in_no_other_context(plain: bytes, contexts: list[str]) -> None:
    """A row's secret that is copied into another row is of no use there."""
    here, there = contexts
    with pytest.raises(Unsealable):
        VAULT.open(VAULT.seal(plain, here), there)


@given(plain=st.binary(max_size=20), at=st.integers(0), bit=st.integers(0, 7))
def test_a_changed_bit_is_noticed(plain: bytes, at: int, bit: int) -> None:
    """Anywhere: version, key id, nonce, text, tag."""
    sealed = bytearray(VAULT.seal(plain, "x"))
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(Unsealable):
        VAULT.open(bytes(sealed), "x")


@given(st.binary(max_size=60))
def test_bytes_that_were_never_sealed_do_not_open(garbage: bytes) -> None:
    """Whatever their length; nor does a sealed text that was cut."""
    for sealed in (garbage, VAULT.seal(b"secret", "x")[: len(garbage)][:42]):
        with pytest.raises(Unsealable):
            VAULT.open(sealed, "x")


def test_keys_rotate() -> None:
    """A new key in front seals; the old one opens what it sealed until it is taken away."""
    before = Vault((OLD,)).seal(b"old", "x")
    assert VAULT.open(before, "x") == b"old"
    after = VAULT.seal(b"new", "x")
    assert Vault((NEW,)).open(after, "x") == b"new"
    for vault, sealed in ((Vault((NEW,)), before), (Vault((OLD,)), after)):
        with pytest.raises(Unsealable):
            vault.open(sealed, "x")


def test_the_pepper_stays_while_keys_are_put_in_front() -> None:
    """What is kept as an HMAC with it stays known; it is no key that seals."""
    assert Vault((OLD,)).pepper == VAULT.pepper != Vault((NEW,)).pepper
    assert len(VAULT.pepper) == 32
    assert VAULT.pepper not in {OLD, NEW}


def test_a_vault_does_not_show_its_keys() -> None:
    """It may end in a log."""
    assert repr(VAULT) == "Vault(2 keys)"


@pytest.mark.parametrize("keys", [(), (b"short",), (OLD, b"")])
def test_a_key_has_32_bytes(keys: tuple[bytes, ...]) -> None:
    """And there is one at least."""
    with pytest.raises(KeyFault):
        Vault(keys)


def test_configured_keys_need_no_file(tmp_path: Path) -> None:
    """None is made."""
    sealed = load_keys((_text(NEW), _text(OLD)), tmp_path / "data").seal(b"x", "x")
    assert Vault((NEW,)).open(sealed, "x") == b"x"
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("wrong", ["", "c2hvcnQ=", "no base64!", "é" * 44, _text(OLD)[:-1]])
def test_a_configured_key_that_is_none_is_told_without_showing_it(
    tmp_path: Path, wrong: str
) -> None:
    """The message says where it stands and how to make one."""
    with pytest.raises(KeyFault) as refused:
        load_keys((_text(OLD), wrong), tmp_path)
    assert re.search("ANTIPHON_SECRET_KEYS.*openssl rand", str(refused.value))
    assert not wrong or wrong not in str(refused.value)


def test_without_keys_one_is_made_for_the_owner_only(tmp_path: Path) -> None:
    """And found again by the next process; no draft is left."""
    folder = tmp_path / "deep" / "data"
    sealed = load_keys((), folder).seal(b"x", "x")
    assert load_keys((), folder).open(sealed, "x") == b"x"
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_two_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    """Neither replaces the other's."""
    together = threading.Barrier(8)
    vaults: list[Vault] = []

    def load() -> None:
        together.wait()
        vaults.append(load_keys((), tmp_path))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({vault.pepper for vault in vaults}) == 1
    assert len(vaults) == 8


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """With what to do about it."""
    load_keys((), tmp_path)
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(KeyFault, match="chmod 600"):
        load_keys((), tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a key\n", b"\xff\xfe"])
def test_a_damaged_file_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    """What it sealed could never be opened again."""
    path = tmp_path / KEY_FILE
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFault, match=re.escape(str(path))):
        load_keys((), tmp_path)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With the settings that would help."""
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFault, match="ANTIPHON_DATA_DIR"):
        load_keys((), tmp_path / "file" / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_how_a_text_begins_tells_whether_it_opens() -> None:
    """Without opening it: so a whole database can be looked through."""
    begins = Vault((OLD,)).seal(b"secret", "x")[:HEAD_BYTES]
    assert begins in VAULT.heads
    assert begins not in Vault((NEW,)).heads
