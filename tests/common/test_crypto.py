"""Tokens made many at a time are Fernet's own, and keyed hashes are HMAC's."""

import hashlib
import hmac
from typing import Any

import pytest
from cryptography.fernet import Fernet

from common.crypto import decrypt, encrypt, encrypt_all, keyed_hash

# Shorter than a block, whole blocks, empty, and more than one byte a letter.
TEXTS = ["SMITH801150JA9XX", "", "12345678", "x" * 15, "x" * 17, "Zoë Ó’Brien", "y" * 4_000, ""]


def test_tokens_made_many_at_a_time_are_opened_like_any_other(settings: Any) -> None:
    tokens = encrypt_all(TEXTS)
    assert [decrypt(token) for token in tokens] == TEXTS
    assert [len(token) for token in tokens] == [len(encrypt(text)) for text in TEXTS]
    key, *_ = settings.FIELD_ENCRYPTION_KEYS
    assert Fernet(key).decrypt(tokens[0], ttl=60) == b"SMITH801150JA9XX"
    assert encrypt_all([]) == []


def test_equal_texts_have_unlike_tokens_and_the_first_key_makes_them(
    settings: Any,
) -> None:
    older, newer = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [older]
    before = encrypt_all(["SMITH801150JA9XX"] * 500)
    vectors = {Fernet(older)._get_unverified_token_data(token)[1][9:25] for token in before}
    assert len(vectors) == len(set(before)) == 500
    settings.FIELD_ENCRYPTION_KEYS = [newer, older]
    assert {decrypt(token) for token in before} == {"SMITH801150JA9XX"}
    assert Fernet(newer).decrypt(encrypt_all(["new"])[0]) == b"new"


@pytest.mark.parametrize("pepper", ["p", "p" * 64, "ü" * 64])
def test_keyed_hash_is_hmac_sha256_of_label_and_parts(pepper: str, settings: Any) -> None:
    settings.LOOKUP_PEPPER = pepper
    told = hmac.new(pepper.encode(), b"pin\x1f46\x1f46KD1\x1f0042", hashlib.sha256).digest()
    assert keyed_hash("pin", "46", "46KD1", "0042") == told
