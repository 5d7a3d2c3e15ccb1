"""Tokens of forces' systems: issued, shown once, kept as a hash, expiring, replaced with an overlap, revoked."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from referrals import lookups
from referrals.errors import TokenEndedError
from referrals.models import Force, ForceToken

_RANDOM_BYTES = 32
# How long the old token and the new one are both valid.
OVERLAP = timedelta(days=7)


def replace_token(
    *, token_id: int, expires_at: datetime, by: Actor, now: datetime, overlap: timedelta = OVERLAP
) -> tuple[ForceToken, str]:
    """Issue a token in the place of another, with its name and scopes; the old one ends after `overlap` at the latest.

    Returns the new one with its text, which is nowhere kept. Raises TokenEndedError where the old one has ended.
    """
    with transaction.atomic(durable=True):
        old = ForceToken.objects.select_for_update(of=("self",)).select_related("force").get(pk=token_id)
        if old.revoked_at is not None or old.expires_at <= now:
            raise TokenEndedError
        old.expires_at = min(old.expires_at, now + overlap)
        old.save(update_fields=["expires_at"])
        return _issue(force=old.force, name=old.name, scopes=old.scopes, expires_at=expires_at, by=by, now=now)


def issue_token(
    *, force: Force, name: str, scopes: Sequence[str], expires_at: datetime, by: Actor, now: datetime
) -> tuple[ForceToken, str]:
    """Make a token and return it with its text, which is nowhere kept. Earlier ones stay valid until they expire."""
    with transaction.atomic(durable=True):
        return _issue(force=force, name=name, scopes=scopes, expires_at=expires_at, by=by, now=now)


def _issue(
    *, force: Force, name: str, scopes: Sequence[str], expires_at: datetime, by: Actor, now: datetime
) -> tuple[ForceToken, str]:
    text = f"ndors_{force.pk}_{secrets.token_urlsafe(_RANDOM_BYTES)}"
    with transaction.atomic():
        token = ForceToken.objects.create(
            force=force,
            name=name,
            digest=lookups.token_digest(text),
            scopes=sorted(scopes),
            created_at=now,
            created_by=str(by),
            expires_at=expires_at,
        )
        audit.record(
            "token.issued",
            by=by,
            now=now,
            words=f"Token “{name}” issued to {force.name}: {', '.join(token.scopes)}",
            subject=f"force_token:{token.pk}",
        )
        return token, text


def revoke_token(*, token_id: int, by: Actor, now: datetime) -> bool:
    """End a token at once. Returns False where it had ended before."""
    with transaction.atomic(durable=True):
        token = ForceToken.objects.select_for_update(of=("self",)).select_related("force").get(pk=token_id)
        if token.revoked_at is not None:
            return False
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
        audit.record(
            "token.revoked",
            by=by,
            now=now,
            words=f"Token “{token.name}” of {token.force.name} revoked",
            subject=f"force_token:{token.pk}",
        )
        return True
