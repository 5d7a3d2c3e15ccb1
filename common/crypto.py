"""Encrypting identifying text, and finding it again without decrypting.

A driver number encodes date of birth and sex, so it rests encrypted (MultiFernet: the first key of
`FIELD_ENCRYPTION_KEYS` encrypts, all of them decrypt, which is how keys are rotated). It is looked up, and PINs are
checked, by HMAC-SHA256 with `LOOKUP_PEPPER`, each purpose under its own label so that no two columns can be joined.
"""

import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

HASH_BYTES = 32


class UndecryptableError(ValueError):
    """No key in FIELD_ENCRYPTION_KEYS opens this value: a key was dropped before everything was re-encrypted."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> bytes:
    """The text as a Fernet token; empty text stays empty bytes."""
    return _box(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(text.encode()) if text else b""


def decrypt(token: bytes | memoryview) -> str:
    """What `encrypt` was given. Raises UndecryptableError when no live key fits."""
    if not token:
        return ""
    try:
        return _box(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(bytes(token)).decode()
    except InvalidToken as error:
        raise UndecryptableError("the value cannot be decrypted with the keys that are set") from error


@lru_cache(maxsize=16)
def _keyed(pepper: str, purpose: str) -> hmac.HMAC:
    return hmac.new(pepper.encode(), f"{purpose}\x1f".encode(), hashlib.sha256)


def keyed_hash(purpose: str, *parts: str) -> bytes:
    """32 bytes by which the parts can be looked up: the same for the same purpose, parts and pepper, else unrelated.

    The pepper's key schedule is computed once per process, so a hash costs about a microsecond.
    """
    digest = _keyed(settings.LOOKUP_PEPPER, purpose).copy()
    digest.update("\x1f".join(parts).encode())
    return digest.digest()


def matches(purpose: str, stored: bytes | memoryview, *parts: str) -> bool:
    """Whether the stored hash is that of the parts, compared in constant time."""
    return hmac.compare_digest(bytes(stored), keyed_hash(purpose, *parts))
