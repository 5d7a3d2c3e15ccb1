"""The components that are more than a line of markup."""

from django.core.paginator import Paginator
from django.template import Context, Template
from django.template.loader import render_to_string
from pytest_django.asserts import assertHTMLEqual, assertInHTML


def test_button_prevents_the_second_click() -> None:
    assertHTMLEqual(
        render_to_string("components/button.html", {"text": "Pay", "name": "act", "value": "pay", "kind": "warning"}),
        '<button type="submit" class="govuk-button govuk-button--warning" data-module="govuk-button"'
        ' data-prevent-double-click="true" name="act" value="pay">Pay</button>',
    )


def test_button_with_an_address_is_a_link() -> None:
    assertHTMLEqual(
        render_to_string("components/button.html", {"text": "Back to start", "href": "/?a=1&b=2"}),
        '<a href="/?a=1&amp;b=2" role="button" draggable="false" class="govuk-button" data-module="govuk-button">'
        "Back to start</a>",
    )


def test_summary_row_says_what_is_changed() -> None:
    rows = [{"key": "Date", "value": "4 May", "href": "/d/"}]
    html = render_to_string("components/summary_list.html", {"rows": rows})
    assertInHTML(
        '<a class="govuk-link" href="/d/">Change<span class="govuk-visually-hidden"> date</span></a>', html, count=1
    )


def test_pagination_keeps_the_filter_and_elides() -> None:
    page = Paginator(range(200), 10).page(7)
    html = render_to_string("components/pagination.html", {"page": page, "query": "state=rejected&"})
    assertInHTML(
        '<a class="govuk-link govuk-pagination__link" href="?state=rejected&amp;page=7" aria-label="Page 7"'
        ' aria-current="page">7</a>',
        html,
    )
    shown = [n for n in range(1, 21) if f'aria-label="Page {n}"' in html]
    assert shown == [1, 6, 7, 8, 20]
    assert html.count("govuk-pagination__item--ellipsis") == 2
    assert 'rel="prev"' in html
    assert 'rel="next"' in html


def test_pagination_of_one_page_is_absent() -> None:
    page = Paginator(range(5), 10).page(1)
    assert render_to_string("components/pagination.html", {"page": page, "query": ""}).strip() == ""


def test_table_marks_figures_and_can_be_scrolled_by_keyboard() -> None:
    columns = [{"text": "File"}, {"text": "Rows", "numeric": True}]
    html = render_to_string(
        "components/table.html", {"caption": "Batches", "columns": columns, "rows": [["a.csv", 3]]}
    )
    assertInHTML('<th scope="row" class="govuk-table__header">a.csv</th>', html)
    assertInHTML('<td class="govuk-table__cell govuk-table__cell--numeric">3</td>', html)
    assert 'tabindex="0"' in html


def test_success_banner_is_announced() -> None:
    html = render_to_string("components/notification_banner.html", {"text": "Moved", "kind": "success"})
    assert 'role="alert"' in html
    assertInHTML('<p class="govuk-notification-banner__heading">Moved</p>', html)


def test_navigation_item_of_the_present_page() -> None:
    assertHTMLEqual(
        render_to_string("components/nav_item.html", {"href": "/police/", "text": "Batches", "current": True}),
        '<li class="govuk-service-navigation__item govuk-service-navigation__item--active">'
        '<a class="govuk-service-navigation__link" href="/police/" aria-current="page">'
        '<strong class="govuk-service-navigation__active-fallback">Batches</strong></a></li>',
    )


def test_progress_page_refreshes_without_javascript_and_polls_with_it() -> None:
    html = render_to_string("components/progress_refresh.html", {})
    assertInHTML('<noscript><meta http-equiv="refresh" content="5"></noscript>', html)
    assertInHTML('<script src="/static/django_htmx/htmx-2.min.js" defer></script>', html)


def test_parameters_do_not_leak_from_the_page() -> None:
    template = Template('{% include "components/button.html" with text="Continue" only %}')
    assert "/elsewhere/" not in template.render(Context({"href": "/elsewhere/"}))
