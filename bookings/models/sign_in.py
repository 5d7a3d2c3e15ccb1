"""How often a sign-in was tried."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class SignInTries(models.Model):
    """When one reference, or one address, was last tried. In the database, so that emptying Redis forgets none."""

    subject = models.BinaryField(max_length=32, primary_key=True, help_text="keyed hash of the reference or address")
    tried_at = ArrayField(models.DateTimeField(), help_text="tries of the last quarter-hour, oldest first")
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "sign-in tries"

    def __str__(self) -> str:
        return f"{len(self.tried_at)} tries"
