"""Encrypting identifying text, and finding it again without decrypting.

A driver number encodes date of birth and sex, so it rests encrypted (MultiFernet: the first key of
`FIELD_ENCRYPTION_KEYS` encrypts, all of them decrypt, which is how keys are rotated). It is looked up, and PINs are
checked, by HMAC-SHA256 with `LOOKUP_PEPPER`, each purpose under its own label so that no two columns can be joined.
"""

import base64
import hashlib
import hmac
import os
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, cast

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from django.conf import settings

HASH_BYTES = 32
# HMAC's two paddings (RFC 2104), as translations of the key's bytes, and the block of SHA-256.
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_SHA256_BLOCK = 64
# A Fernet key is half one for signing and half one for AES-128; a token begins with its version.
_HALF = 16
_BLOCK = 16
_VERSION = b"\x80"


class UndecryptableError(ValueError):
    """No key in FIELD_ENCRYPTION_KEYS opens this value: a key was dropped before everything was re-encrypted."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> bytes:
    """The text as a Fernet token; empty text stays empty bytes."""
    return _box(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(text.encode()) if text else b""


def encrypt_all(texts: Sequence[str]) -> list[bytes]:
    """Each text as `encrypt` would have it, at a fifth of the time: for batches.

    The tokens are Fernet's (version, time, IV, AES-128-CBC, HMAC-SHA256), made in one run of the cipher. Before each
    text goes a block of random bytes: what that becomes nobody can foresee, and it is the text's IV.
    """
    key = base64.urlsafe_b64decode(settings.FIELD_ENCRYPTION_KEYS[0])
    inner, outer = _hmac_begun(key[:_HALF])
    contents = [text.encode() for text in texts if text]
    chance = os.urandom(_BLOCK * len(contents))
    padded = []
    for n, content in enumerate(contents):
        over = _BLOCK - len(content) % _BLOCK
        padded.append(chance[n * _BLOCK : (n + 1) * _BLOCK] + content + _PADDINGS[over])
    cipher = Cipher(AES(key[_HALF:]), CBC(os.urandom(_BLOCK))).encryptor()
    encrypted = cipher.update(b"".join(padded)) + cipher.finalize()
    head = _VERSION + int(time.time()).to_bytes(8, "big")
    tokens, at = [], 0
    for each in padded:
        body = head + encrypted[at : at + len(each)]
        at += len(each)
        within, around = inner(), outer()
        within.update(body)
        around.update(within.digest())
        tokens.append(base64.urlsafe_b64encode(body + around.digest()))
    made = iter(tokens)
    return [next(made) if text else b"" for text in texts]


_PADDINGS = [bytes([length]) * length for length in range(_BLOCK + 1)]


def decrypt(token: bytes | memoryview) -> str:
    """What `encrypt` was given. Raises UndecryptableError when no live key fits."""
    if not token:
        return ""
    try:
        return _box(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(bytes(token)).decode()
    except InvalidToken as error:
        raise UndecryptableError("the value cannot be decrypted with the keys that are set") from error


def _hmac_begun(key: bytes, begin: bytes = b"") -> tuple[Callable[[], Any], Callable[[], Any]]:
    """HMAC-SHA256 under a key, of what begins so: what makes its inner and its outer hash, ready to be updated.

    Written out, for `hmac` takes twice as long for a short text.
    """
    if len(key) > _SHA256_BLOCK:
        key = hashlib.sha256(key).digest()
    padded = key.ljust(_SHA256_BLOCK, b"\0")
    return hashlib.sha256(padded.translate(_INNER) + begin).copy, hashlib.sha256(padded.translate(_OUTER)).copy


@lru_cache(maxsize=16)
def _keyed(pepper: str, purpose: str) -> Callable[..., bytes]:
    inner, outer = _hmac_begun(pepper.encode(), f"{purpose}\x1f".encode())

    def keyed(*parts: str) -> bytes:
        within, around = inner(), outer()
        within.update("\x1f".join(parts).encode())
        around.update(within.digest())
        return cast(bytes, around.digest())

    return keyed


def keyed_hash(purpose: str, *parts: str) -> bytes:
    """32 bytes by which the parts can be looked up: the same for the same purpose, parts and pepper, else unrelated.

    The pepper's key schedule is computed once per process, so a hash costs about a microsecond.
    """
    return hasher(purpose)(*parts)


def hasher(purpose: str) -> Callable[..., bytes]:
    """`keyed_hash` for one purpose: for many, so that the settings are not asked each time."""
    return _keyed(settings.LOOKUP_PEPPER, purpose)


def matches(purpose: str, stored: bytes | memoryview, *parts: str) -> bool:
    """Whether the stored hash is that of the parts, compared in constant time."""
    return hmac.compare_digest(bytes(stored), keyed_hash(purpose, *parts))
