"""Referrals, their withdrawals and outcomes."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse

from audit.admin import HistoryAdmin
from audit.columns import who
from common import clock
from common.identifiers import normalise_postcode, normalise_registration, parse_gb_driver_number
from courses.admin.acts import Read, acting_staff
from courses.forms import DateInput
from referrals import lookups, selectors, services
from referrals.admin.base import act_page, log_opened
from referrals.constants import WithdrawalReason
from referrals.models import Outcome, OutcomeReturn, Referral, Withdrawal


class WithdrawForm(forms.Form):
    """A withdrawal that police told KCC of."""

    reason = forms.ChoiceField(choices=WithdrawalReason.choices)
    note = forms.CharField(max_length=500, help_text="Who of the police said so, when and how")


class ExtendForm(forms.Form):
    """An extension that police decided."""

    complete_by = forms.DateField(label="New complete by", widget=DateInput)
    evidence = forms.CharField(max_length=500, help_text="What shows that police decided it")


@admin.register(Referral)
class ReferralAdmin(Read, HistoryAdmin):
    """Offers. Search is by index only: reference, start of a surname, driver number, postcode, registration."""

    list_display = ("reference", "force", "surname", "forenames", "course_type", "status", "book_by", "complete_by")
    list_filter = ("status", "force")
    list_select_related = ("force", "course_type")
    ordering = ("-pk",)
    search_fields = ("=reference",)
    search_help_text = "Reference, start of a surname, driver number, postcode or vehicle registration"
    exclude = (
        "pin_hash",
        "driver_number_encrypted",
        "driver_number_hash",
        "person_hash",
        "content_hash",
        "surname_key",
    )
    change_form_template = "admin/referrals/referral_change_form.html"

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Referral]", search_term: str
    ) -> tuple["QuerySet[Referral]", bool]:
        """One look-up in one index, chosen by what the words look like."""
        words = search_term.strip()
        if not words:
            return queryset, False
        if number := parse_gb_driver_number(words):
            return queryset.filter(driver_number_hash=lookups.driver_number_hash(number.number)), False
        if postcode := normalise_postcode(words):
            return queryset.filter(postcode=postcode), False
        if not any(letter.isdigit() for letter in words):
            # Every force is named, so that the index, which begins with it, is used.
            forces = selectors.force_codes()
            return queryset.filter(force_id__in=forces, surname_key__startswith=words.upper()), False
        by_reference = queryset.filter(reference=words.upper())
        return by_reference | queryset.filter(vehicle_registration=normalise_registration(words)), False

    def get_urls(self) -> list[Any]:
        """And the pages to withdraw and to extend."""
        view = self.admin_site.admin_view
        return [
            path("<int:referral_id>/withdraw/", view(self.withdraw_view), name="referrals_referral_withdraw"),
            path("<int:referral_id>/extend/", view(self.extend_view), name="referrals_referral_extend"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a referral with its story; opening it is on record."""
        referral = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if referral is not None:
            log_opened(request, "referral.opened", referral_key=referral.key, subject=f"referral:{referral.pk}")
            extra["events"] = selectors.story(referral).events
            extra["may_act"] = request.user.has_perm("referrals.change_referral")
        return super().change_view(request, object_id, form_url, extra)

    def withdraw_view(self, request: HttpRequest, referral_id: int) -> HttpResponse:
        """Record that police withdrew the offer."""
        by = acting_staff(request, "referrals.change_referral")
        referral = get_object_or_404(Referral, pk=referral_id)

        def act(given: dict[str, Any]) -> str:
            now = clock.now()
            services.withdraw(
                force_code=referral.force_id,
                reference=referral.reference,
                reason=given["reason"],
                effective_at=None,
                received_at=now,
                by=by,
                now=now,
                note=given["note"],
            )
            return f"{referral.reference} is withdrawn."

        return self._act(request, referral, WithdrawForm(request.POST or None), "Withdraw", act)

    def extend_view(self, request: HttpRequest, referral_id: int) -> HttpResponse:
        """Record that police extended the offer."""
        by = acting_staff(request, "referrals.change_referral")
        referral = get_object_or_404(Referral, pk=referral_id)

        def act(given: dict[str, Any]) -> str:
            services.extend(
                force_code=referral.force_id,
                reference=referral.reference,
                complete_by=given["complete_by"],
                evidence=given["evidence"],
                by=by,
                now=clock.now(),
            )
            return f"{referral.reference} is extended."

        return self._act(request, referral, ExtendForm(request.POST or None), "Extend", act)

    def _act(self, request: HttpRequest, referral: Referral, form: forms.Form, verb: str, act: Any) -> HttpResponse:
        back = reverse("admin:referrals_referral_change", args=[referral.pk])
        title = f"{verb} {referral.reference}"
        return act_page(self, request, form=form, title=title, act=act, back=back, back_words=referral.reference)


@admin.register(Withdrawal)
class WithdrawalAdmin(Read, HistoryAdmin):
    """Withdrawals by police."""

    list_display = ("referral", "reason", "received_at", "acted_at", "acted_by_words")
    acted_by_words = who("acted_by")
    list_filter = ("reason",)
    list_select_related = ("referral",)
    search_fields = ("=referral__reference",)
    raw_id_fields = ("referral", "batch")
    ordering = ("-pk",)


@admin.register(Outcome)
class OutcomeAdmin(Read, HistoryAdmin):
    """What goes back to the forces."""

    list_display = ("force", "sequence", "referral", "outcome", "reason", "recorded_at", "returned_at")
    list_filter = ("outcome", ("returned_at", admin.EmptyFieldListFilter), "force")
    list_select_related = ("force", "referral")
    search_fields = ("=referral__reference",)
    raw_id_fields = ("referral", "returned_in")
    ordering = ("-pk",)


@admin.register(OutcomeReturn)
class OutcomeReturnAdmin(Read, HistoryAdmin):
    """Returns that were written."""

    list_display = ("force", "first", "last", "rows", "written_at", "written_by_words")
    written_by_words = who("written_by")
    list_filter = ("force",)
    list_select_related = ("force",)
    ordering = ("-pk",)
