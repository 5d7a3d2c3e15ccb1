"""The statements and the frame around them."""

import re

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.asserts import assertInHTML

pytestmark = pytest.mark.urls("tests.ndors_portal.error_urls")

STATEMENTS = [
    ("/accessibility/", "Accessibility statement"),
    ("/privacy/", "Privacy notice"),
    ("/terms/", "Terms of booking"),
    ("/cookies/", "Cookies"),
]


@pytest.mark.parametrize(("address", "heading"), STATEMENTS)
def test_statement_has_one_heading_and_no_script_or_style_of_its_own(
    client: Client, address: str, heading: str
) -> None:
    response = client.get(address)
    html = response.content.decode()
    assert response.status_code == 200
    assert re.findall(r"<h1[^>]*>(.*?)</h1>", html) == [heading]
    assertInHTML(f"<title>{heading} - Book a driver course - Kent County Council</title>", html)
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert "<style" not in html
    assert re.findall(r"\s(?:style|on\w+)=", html) == []


def test_frame_names_the_council_and_leads_to_the_statements(client: Client) -> None:
    html = client.get("/cookies/").content.decode()
    assert '<html lang="en" class="govuk-template">' in html
    assertInHTML('<span class="portal-header__organisation">Kent County Council</span>', html)
    assertInHTML(
        '<a href="#main-content" class="govuk-skip-link" data-module="govuk-skip-link">Skip to main content</a>', html
    )
    for address, _ in STATEMENTS:
        assert f'href="{address}"' in html
    assert settings.HELP_PHONE in html
    assert f'href="tel:{settings.HELP_PHONE.replace(" ", "")}"' in html
    assert "GOV.UK" not in html
    assert "crest" not in html


def test_statement_cannot_be_posted_to(client: Client) -> None:
    assert client.post("/privacy/").status_code == 405
