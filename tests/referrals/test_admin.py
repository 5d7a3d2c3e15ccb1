"""KCC staff's pages of the police's side."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Role, User
from audit.models import AccessLog
from referrals.constants import ReferralStatus
from referrals.models import BatchRow, ForceToken, Referral
from tests.factories import referrals as factories
from tests.referrals.files import UGLY, as_csv, import_bytes, many

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> User:
    user = User.objects.create_superuser("clerk", password=None, role=Role.MANAGER)
    client.force_login(user)
    return user


@pytest.mark.parametrize(
    "model",
    ["batch", "batchrow", "referral", "withdrawal", "outcome", "outcomereturn", "force", "officer", "courseblock",
     "forecastmonth", "forcetoken", "offerterms", "speedband"],
)  # fmt: skip
def test_list_pages_open_with_rows(client: Client, staff: User, model: str) -> None:
    import_bytes(UGLY.read_bytes())
    factories.OfficerFactory()
    factories.outcome(factories.WithdrawnReferralFactory())
    assert client.get(f"/admin/referrals/{model}/").status_code == 200


def test_nothing_can_be_changed_by_a_form(client: Client, staff: User) -> None:
    held = factories.LiveReferralFactory()
    response = client.post(f"/admin/referrals/referral/{held.pk}/change/", {"surname": "Other"})
    assert response.status_code == 403
    assert client.get("/admin/referrals/referral/add/").status_code == 403
    assert client.post(f"/admin/referrals/referral/{held.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Referral.objects.get().surname == held.surname


def test_opening_a_referral_shows_its_story_and_is_on_record(client: Client, staff: User) -> None:
    import_bytes(as_csv(many(1)))
    held = Referral.objects.get()
    page = client.get(f"/admin/referrals/referral/{held.pk}/change/").content.decode()
    assert "Received in batch.csv, row 2" in page
    entry = AccessLog.objects.get()
    assert (entry.action, entry.referral_key, entry.actor) == ("referral.opened", held.key, f"staff:{staff.pk}")


@pytest.mark.parametrize("words", ["46test000777", "o'nei", "ME14 1XX", "ab12cde", "ONEIL801150JA9XX"])
def test_search_finds_by_each_of_its_indexes(client: Client, staff: User, words: str) -> None:
    held = factories.LiveReferralFactory(
        reference="46TEST000777",
        surname="O'Neil",
        postcode="ME14 1XX",
        vehicle_registration="AB12CDE",
        driver_number="ONEIL801150JA9XX",
    )
    factories.LiveReferralFactory(reference="46TEST000778", driver_number="SMITH801150JA9XX")
    found = client.get("/admin/referrals/referral/", {"q": words}).context["cl"].result_list
    assert [each.pk for each in found] == [held.pk]


def test_withdrawing_goes_through_the_service(client: Client, staff: User) -> None:
    held = factories.LiveReferralFactory()
    address = f"/admin/referrals/referral/{held.pk}/withdraw/"
    assert client.get(address).status_code == 200
    client.post(address, {"reason": "COURT", "note": "Sgt Hill by telephone"})
    held.refresh_from_db()
    assert (held.status, held.status_by) == (ReferralStatus.WITHDRAWN, f"staff:{staff.pk}")
    again = factories.CompletedReferralFactory()
    page = client.post(f"/admin/referrals/referral/{again.pk}/withdraw/", {"reason": "COURT", "note": "x"})
    assert "the referral is now “completed”" in page.content.decode()


def test_extending_goes_through_the_service(client: Client, staff: User, time_machine: Any) -> None:
    time_machine.move_to(factories.NOW, tick=False)
    held = factories.LiveReferralFactory()
    client.post(f"/admin/referrals/referral/{held.pk}/extend/", {"complete_by": "2027-05-01", "evidence": "Letter 7"})
    held.refresh_from_db()
    assert held.complete_by.isoformat() == "2027-05-01"


def test_staff_accept_a_row_of_another_force(client: Client, staff: User, time_machine: Any) -> None:
    time_machine.move_to(factories.NOW, tick=False)
    batch = import_bytes(as_csv([many(1)[0] | {"force_code": "42"}]))
    row = BatchRow.objects.get(batch=batch)
    page = client.get(f"/admin/referrals/batchrow/{row.pk}/change/").content.decode()
    assert f"/admin/referrals/batchrow/{row.pk}/decide/" in page
    assert many(1)[0]["pin"] not in page
    client.post(f"/admin/referrals/batchrow/{row.pk}/decide/", {"decision": "accepted", "reason": "Essex agreed"})
    assert Referral.objects.get().force_id == "42"


def test_clerk_without_the_permission_cannot_act(client: Client) -> None:
    clerk = User.objects.create_user("viewer", role=Role.CLERK, is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_referral"))
    client.force_login(clerk)
    held = factories.LiveReferralFactory()
    assert client.get(f"/admin/referrals/referral/{held.pk}/change/").status_code == 200
    response = client.post(f"/admin/referrals/referral/{held.pk}/withdraw/", {"reason": "COURT", "note": "x"})
    assert response.status_code == 403
    held.refresh_from_db()
    assert held.status == ReferralStatus.LIVE


def sent(client: Client, address: str, form: dict[str, Any]) -> Any:
    """The answer to a form as it is shown and then sent."""
    once = client.get(address).context["form"]["once"].value()
    return client.post(address, form | {"once": once})


def test_page_with_a_token_that_is_reloaded_issues_no_other(client: Client, staff: User) -> None:
    address = "/admin/referrals/forcetoken/issue/"
    form = {"force": "46", "name": "crime system", "scopes": ["batches"], "days": "90"}
    once = client.get(address).context["form"]["once"].value()
    assert client.post(address, form | {"once": once, "days": "400"}).context["form"].errors
    assert client.post(address, form | {"once": once}).context["text"]
    for tried in (once, "", "made up"):
        again = client.post(address, form | {"once": tried}, follow=True)
        assert again.redirect_chain == [("/admin/referrals/forcetoken/", 302)]
        assert "No other token was issued" in again.content.decode()
    assert ForceToken.objects.count() == 1


def test_token_is_issued_shown_once_replaced_and_revoked(client: Client, staff: User, time_machine: Any) -> None:
    form = {"force": "46", "name": "crime system", "scopes": ["batches", "outcomes"], "days": "90"}
    page = sent(client, "/admin/referrals/forcetoken/issue/", form)
    text = page.context["text"]
    assert text in page.content.decode()
    assert "<li>Send batches and read their receipts</li><li>Read and acknowledge outcomes</li>" in page.text
    assert "no-store" in page["Cache-Control"]
    first = ForceToken.objects.get()
    assert (first.force_id, first.name, first.scopes) == ("46", "crime system", ["batches", "outcomes"])
    assert (first.expires_at - first.created_at).days == 90
    shown = client.get(f"/admin/referrals/forcetoken/{first.pk}/change/").content.decode()
    assert "Send batches and read their receipts; Read and acknowledge outcomes" in shown
    assert text not in shown + client.get("/admin/referrals/forcetoken/").content.decode()

    def asked(with_text: str) -> int:
        headers = {"Authorization": f"Bearer {with_text}"}
        return Client().get("/api/v1/outcomes/", headers=headers).status_code

    other = sent(client, f"/admin/referrals/forcetoken/{first.pk}/replace/", {"days": "90"}).context["text"]
    second = ForceToken.objects.exclude(pk=first.pk).get()
    first.refresh_from_db()
    assert (second.name, second.scopes) == (first.name, first.scopes)
    assert (first.expires_at - second.created_at).days == 7
    assert [asked(text), asked(other)] == [200, 200]
    revoking = client.get(f"/admin/referrals/forcetoken/{second.pk}/revoke/").content.decode()
    assert "system is refused from then on. This cannot be undone." in revoking
    assert 'value="Revoke the token"' in revoking
    client.post(f"/admin/referrals/forcetoken/{second.pk}/revoke/", {"yes": "yes"})
    assert [asked(text), asked(other)] == [200, 401]
    ended = sent(client, f"/admin/referrals/forcetoken/{second.pk}/replace/", {"days": "90"})
    assert "This token has ended. Issue a new one." in ended.content.decode()
    time_machine.move_to(first.expires_at - dt.timedelta(seconds=1), tick=False)
    assert asked(text) == 200
    time_machine.move_to(first.expires_at, tick=False)
    assert asked(text) == 401
    assert ForceToken.objects.count() == 2
