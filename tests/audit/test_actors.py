"""Who did something, in the words of admin's pages."""

from typing import Any

import pytest
from django.template import Context, Template

from accounts.models import Role, User

pytestmark = pytest.mark.django_db


def words(*actors: str) -> list[str]:
    page = Template("{% load actors %}{% for each in actors %}{% actor_words each %}|{% endfor %}")
    return page.render(Context({"actors": actors})).split("|")[:-1]


def test_actors_are_called_by_name(django_assert_num_queries: Any) -> None:
    user = User.objects.create_user("amara", role=Role.FINANCE)
    staff = f"staff:{user.pk}"
    with django_assert_num_queries(2):
        told = words(staff, "job:send_refunds", "candidate:46/46DEMO0001", staff, "api:3", "staff:0", "somebody")
    assert told == [
        "amara (staff)",
        "the portal (send refunds)",
        "the candidate",
        "amara (staff)",
        "the force’s own system",
        "staff:0",
        "somebody",
    ]
