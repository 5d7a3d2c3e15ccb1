"""Who signs in: KCC staff, police officers and trainers. Candidates have no account but their reference."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a user is here; it decides the door. What a member of staff may do inside is Django's permissions."""

    CLERK = "CLERK", "Clerk"
    MANAGER = "MANAGER", "Manager"
    FINANCE = "FINANCE", "Finance"
    OFFICER = "OFFICER", "Police officer"
    TRAINER = "TRAINER", "Trainer"


STAFF_ROLES = frozenset({Role.CLERK, Role.MANAGER, Role.FINANCE})


class User(AbstractUser):
    """Someone with an account. An officer's force stands in `referrals.Officer`, a trainer in `courses.Trainer`."""

    role = models.CharField(max_length=10, choices=Role, default=Role.CLERK)

    history: ClassVar[Any]  # `audit` stands above this app, tracks users and puts it here

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                name="accounts_only_kcc_staff_reach_admin",
                condition=models.Q(is_staff=False) | models.Q(role__in=sorted(STAFF_ROLES)),
                violation_error_message="Police officers and trainers have no access to the admin.",
            ),
            models.CheckConstraint(
                name="accounts_superuser_is_staff",
                condition=models.Q(is_superuser=False) | models.Q(is_staff=True),
                violation_error_message="A superuser is a member of staff.",
            ),
        ]

    @property
    def actor_kind(self) -> str:
        """How the record calls this user's kind: "staff", "officer" or "trainer"."""
        return {Role.OFFICER: "officer", Role.TRAINER: "trainer"}.get(Role(self.role), "staff")
