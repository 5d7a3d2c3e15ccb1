"""Pages that show every component, for the eyes of axe. They exist in tests only."""

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from common.forms import DatePartsField, DatePartsInput, GovukForm, Look
from tests.ndors_portal.error_urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


class Kit(GovukForm, forms.Form):
    reference = forms.CharField(label="Reference", help_text="It is on your letter, for example 46DEMO0001")
    email = forms.EmailField(label="Email address")
    mobile = forms.CharField(label="Mobile number", widget=forms.TelInput)
    password = forms.CharField(label="Password", widget=forms.PasswordInput)
    born_on = DatePartsField(
        label="What is your date of birth?",
        noun="your date of birth",
        widget=DatePartsInput(birthday=True),
        help_text="For example, 31 3 1980",
    )
    mode = forms.ChoiceField(
        label="How do you want to take the course?",
        choices=[("d", "Online"), ("c", "In a classroom"), ("n", "I do not mind")],
        widget=forms.RadioSelect,
    )
    contact = forms.ChoiceField(
        label="How should we contact you?", choices=[("e", "Email"), ("t", "Text message")], widget=forms.RadioSelect
    )
    text_number = forms.CharField(label="Number for texts (optional)", required=False, widget=forms.TelInput)
    needs = forms.MultipleChoiceField(
        label="What do you need?",
        choices=[("b", "British Sign Language"), ("s", "Step-free access")],
        widget=forms.CheckboxSelectMultiple,
    )
    agree = forms.BooleanField(label="I have read the privacy notice", help_text="You can read it again later")
    venue = forms.ChoiceField(label="Venue", choices=[("", "Choose a venue"), ("m", "Maidstone"), ("a", "Ashford")])
    note = forms.CharField(label="Anything else? (optional)", widget=forms.Textarea, max_length=200, required=False)
    fee = forms.DecimalField(label="Fee")
    file = forms.FileField(label="Batch file", help_text="CSV or XLSX, up to 50 MB")
    sure = forms.ChoiceField(label="Are you sure?", choices=[("y", "Yes"), ("n", "No")], widget=forms.RadioSelect)

    looks = {
        "reference": Look(width=20, autocomplete="off", spellcheck=False),
        "mode": Look(label_size="m", option_hints={"d": "On Zoom, with your camera on"}, or_before="n"),
        "contact": Look(reveals={"t": ("text_number",)}),
        "note": Look(count=True),
        "fee": Look(prefix="£", suffix="each", width=5),
        "sure": Look(inline=True),
    }


CANDIDATE = """
{% extends "candidate_base.html" %}
{% block title %}Components{% endblock %}
{% block back %}{% include "components/back_link.html" with href="/" only %}{% endblock %}
{% block page %}
  <h1 class="govuk-heading-l">Components</h1>
  {% include "components/notification_banner.html" with text="Your place is held until 10:42" only %}
  {% include "components/warning_text.html" with text="You must book by 14 May." only %}
  {% include "components/inset_text.html" with text="It can take a minute." only %}
  {% for colour in colours %}{% include "components/tag.html" with text=colour colour=colour only %}{% endfor %}
  {% include "components/summary_list.html" with rows=rows only %}
  {% include "components/table.html" with caption="Batches" columns=columns rows=cells only %}
  {% include "components/pagination.html" with page=pages query="" only %}
  {% include "components/details.html" with summary="Where is my reference?" text="On the letter." only %}
  {% include "components/button.html" with text="Start now" href="/" start=True only %}
  <form method="post" enctype="multipart/form-data" novalidate>
    {% csrf_token %}
    {{ form }}
    <div class="govuk-button-group">
      {% include "components/button.html" with text="Continue" only %}
      {% include "components/button.html" with text="Cancel" kind="secondary" href="/" only %}
      <a class="govuk-link" href="/">Skip this</a>
    </div>
  </form>
{% endblock %}
"""

CONFIRMED = """
{% extends "candidate_base.html" %}
{% block title %}Booking complete{% endblock %}
{% block page %}
  {% include "components/panel.html" with title="Booking complete" text="Your reference" strong="KCC-ABCD-2345" only %}
{% endblock %}
"""

WORK = """
{% extends door %}
{% block title %}Batches{% endblock %}
{% block navigation %}
  {% include "components/nav_item.html" with href="/desk/" text="Batches" current=True only %}
  {% include "components/nav_item.html" with href="/" text="Referrals" only %}
  {% include "components/nav_item.html" with href="/" text="Returns" only %}
{% endblock %}
{% block content %}
  <h1 class="govuk-heading-l">Batches</h1>
  {% include "components/table.html" with caption="Last week" columns=columns rows=cells only %}
{% endblock %}
"""


def _page(request: HttpRequest, text: str, **context: object) -> HttpResponse:
    colours = ["grey", "green", "turquoise", "blue", "purple", "pink", "red", "orange", "yellow"]
    words = {
        "colours": colours,
        "rows": [
            {"key": "Course", "value": "National Speed Awareness Course"},
            {"key": "Date", "value": "Tuesday 4 May 2027, 9am to 11:45am", "href": "/"},
        ],
        "columns": [{"text": "File"}, {"text": "State"}, {"text": "Rows", "numeric": True}],
        "cells": [["referrals-with-a-rather-long-file-name-2027-05-04.csv", "settled", 300], ["b.csv", "new", 3]],
        "pages": Paginator(range(200), 10).page(7),
    }
    return HttpResponse(engines["django"].from_string(text).render({**words, **context}, request))


def kit(request: HttpRequest) -> HttpResponse:
    form = Kit(request.POST, request.FILES) if request.method == "POST" else Kit()
    return _page(request, CANDIDATE, form=form)


def confirmed(request: HttpRequest) -> HttpResponse:
    return _page(request, CONFIRMED)


def work(request: HttpRequest) -> HttpResponse:
    return _page(request, WORK, door="police_base.html")


urlpatterns = [
    path("", kit),
    path("confirmed/", confirmed),
    path("desk/", work),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("tests.ndors_portal.error_urls")),
]
