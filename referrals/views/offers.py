"""Referrals: finding one, its whole story, withdrawing and extending it."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.clock import date_words, london_day
from common.errors import PortalError
from common.forms import GovukForm
from courses.models import CourseType
from referrals import selectors, services
from referrals.constants import BOOKABLE, REFERRAL_TRANSITIONS, ReferralStatus, WithdrawalReason
from referrals.errors import ReferralNotFoundError
from referrals.forms import CourseForm, ExtendForm, NoteForm, SearchForm, WithdrawForm
from referrals.models import Referral
from referrals.views.desk import Desk, police_page

_PAGE = 50
_EXTENDABLE = frozenset(
    {ReferralStatus.LIVE, ReferralStatus.BOOKED, ReferralStatus.NOT_COMPLETED, ReferralStatus.EXPIRED}
)


@police_page
@require_safe
def search(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Find referrals of the force; a single one is opened at once."""
    form = SearchForm(request.GET if "q" in request.GET else None)
    words = form.cleaned_data["q"].strip() if form.is_bound and form.is_valid() else ""
    found = selectors.search(force=desk.force, words=words) if words else []
    if len(found) == 1:
        return redirect("police:referral", reference=found[0].reference)
    if words:
        desk.opened("referrals.searched", subject=f"found:{len(found)}")
    context = {
        "form": form,
        "words": words,
        "found": found,
        "is_cut": len(found) >= selectors.MOST_FOUND,
        "at_search": True,
    }
    return render(request, "referrals/search.html", context)


@police_page
@require_safe
def open_offers(request: HttpRequest, desk: Desk) -> HttpResponse:
    """One of the lists of open offers that the overview counts."""
    which = request.GET.get("list", "live")
    if which not in selectors.OPEN_OFFERS:
        raise ReferralNotFoundError
    page = Paginator(selectors.open_offers(force=desk.force, which=which, now=desk.now), _PAGE).get_page(
        request.GET.get("page")
    )
    desk.opened("referrals.listed", subject=f"{which}:{len(page.object_list)}")
    context = {
        "page": page,
        "which": which,
        "lists": selectors.OPEN_OFFERS.items(),
        "title": selectors.OPEN_OFFERS[which],
        "query": f"list={which}&",
        "in_referrals": True,
    }
    return render(request, "referrals/open_offers.html", context)


@police_page
@require_safe
def referral(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """One referral and everything that happened to it. Opening it is itself on record."""
    found = selectors.referral_of_force(force=desk.force, reference=reference)
    desk.opened("referral.opened", referral_key=found.key, subject=f"referral:{found.pk}")
    return _referral_page(request, desk, found, NoteForm())


def _referral_page(
    request: HttpRequest, desk: Desk, found: Referral, form: GovukForm, status: int = 200
) -> HttpResponse:
    context = {
        "story": selectors.story(found),
        "referral": found,
        "form": form,
        "can_withdraw": ReferralStatus.WITHDRAWN in REFERRAL_TRANSITIONS[ReferralStatus(found.status)],
        "can_extend": found.status in _EXTENDABLE,
        "can_change_course": found.status in BOOKABLE,
        "countdown": selectors.countdown(found, now=desk.now),
        "days_left": (found.complete_by - london_day(desk.now)).days,
        "in_referrals": True,
    }
    return render(request, "referrals/referral.html", context, status=status)


@police_page
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Withdraw an offer, after asking once more."""
    found = selectors.referral_of_force(force=desk.force, reference=reference)
    form = WithdrawForm(request.POST or None)
    status = 200 if request.method != "POST" else 422
    if request.method == "POST" and form.is_valid():
        reason = WithdrawalReason(form.cleaned_data["reason"])
        if "confirmed" not in request.POST:
            return _ask_once_more(
                request,
                found,
                title="Withdraw this offer for good?",
                told=[("Reason", reason.label), ("Note", form.cleaned_data["note"])],
                warning="The candidate can no longer book. A booking is cancelled and its place given back at once.",
                button="Withdraw the offer",
            )
        try:
            _, is_new = services.withdraw(
                force_code=desk.force.pk,
                reference=reference,
                reason=reason,
                effective_at=desk.now,
                received_at=desk.now,
                by=desk.by,
                now=desk.now,
                note=form.cleaned_data["note"],
            )
        except PortalError as error:
            form.add_error(None, error.message)
            status = error.status
        else:
            words = "is withdrawn" if is_new else "was withdrawn before"
            messages.success(request, f"The offer {reference} {words}.")
            return redirect("police:referral", reference=reference)
    context = {"referral": found, "form": form, "in_referrals": True}
    return render(request, "referrals/withdraw.html", context, status=status)


@police_page
@require_http_methods(["GET", "HEAD", "POST"])
def extend(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Extend an offer, after asking once more."""
    found = selectors.referral_of_force(force=desk.force, reference=reference)
    form = ExtendForm(request.POST or None)
    status = 200 if request.method != "POST" else 422
    if request.method == "POST" and form.is_valid():
        complete_by, evidence = form.cleaned_data["complete_by"], form.cleaned_data["evidence"]
        if "confirmed" not in request.POST:
            return _ask_once_more(
                request,
                found,
                title="Extend this offer?",
                told=[
                    ("Complete by now", date_words(found.complete_by)),
                    ("New complete by", date_words(complete_by)),
                    ("Evidence", evidence),
                ],
                warning="The candidate can then choose dates up to the new day.",
                button="Extend the offer",
            )
        try:
            services.extend(
                force_code=desk.force.pk,
                reference=reference,
                complete_by=complete_by,
                evidence=evidence,
                by=desk.by,
                now=desk.now,
            )
        except PortalError as error:
            form.add_error(None, error.message)
            status = error.status
        else:
            messages.success(request, f"Complete by is now {date_words(complete_by)}.")
            return redirect("police:referral", reference=reference)
    context = {"referral": found, "form": form, "in_referrals": True}
    return render(request, "referrals/extend.html", context, status=status)


@police_page
@require_http_methods(["GET", "HEAD", "POST"])
def course(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Decide the course again, after asking once more and telling what stands against it."""
    found = selectors.referral_of_force(force=desk.force, reference=reference)
    others = list(CourseType.objects.filter(is_delivered=True).exclude(pk=found.course_type_id).order_by("name"))
    form = CourseForm(request.POST or None, courses=[(each.code, each.name) for each in others])
    status = 200 if request.method != "POST" else 422
    if request.method == "POST" and form.is_valid():
        (chosen,) = [each for each in others if each.code == form.cleaned_data["course"]]
        bar = selectors.bar_of(found, course=chosen, now=desk.now)
        if "confirmed" not in request.POST:
            return _ask_once_more(
                request,
                found,
                title="Change the course of this offer?",
                told=[
                    ("Course now", found.course_type.name),
                    ("New course", chosen.name),
                    ("Why", form.cleaned_data["reason"]),
                ],
                warning=bar.words if bar else "The candidate will only be shown dates of the new course.",
                button="Change it all the same" if bar else "Change the course",
            )
        try:
            services.decide_course(
                force_code=desk.force.pk,
                reference=reference,
                course_code=chosen.code,
                reason=form.cleaned_data["reason"],
                is_despite_bar=True,
                by=desk.by,
                now=desk.now,
            )
        except PortalError as error:
            form.add_error(None, error.message)
            status = error.status
        else:
            messages.success(request, f"The course is now {chosen.name}.")
            return redirect("police:referral", reference=reference)
    context = {"referral": found, "form": form, "in_referrals": True}
    return render(request, "referrals/course.html", context, status=status)


@police_page
@require_safe
def to_decide(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Those who failed to complete a course, by when police must decide."""
    page = Paginator(selectors.to_be_decided(force=desk.force, now=desk.now), _PAGE).get_page(request.GET.get("page"))
    rows = [(each, selectors.countdown(each, now=desk.now)) for each in page.object_list]
    return render(request, "referrals/to_decide.html", {"page": page, "rows": rows, "in_referrals": True})


def _ask_once_more(
    request: HttpRequest, found: Referral, *, title: str, told: list[tuple[str, str]], warning: str, button: str
) -> HttpResponse:
    """Show what will be done, with everything that was typed, to be sent again with `confirmed`."""
    sent = [(name, value) for name, value in request.POST.items() if name != "csrfmiddlewaretoken"]
    context = {
        "referral": found,
        "title": title,
        "told": [{"key": key, "value": value} for key, value in told if value],
        "warning": warning,
        "button": button,
        "sent": sent,
        "in_referrals": True,
    }
    return render(request, "referrals/confirm.html", context)


@police_page
@require_POST
def note(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Add a note to the story."""
    found = selectors.referral_of_force(force=desk.force, reference=reference)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _referral_page(request, desk, found, form, status=422)
    services.add_note(
        force_code=desk.force.pk, reference=reference, note=form.cleaned_data["note"], by=desk.by, now=desk.now
    )
    messages.success(request, "The note is added.")
    return redirect("police:referral", reference=reference)
