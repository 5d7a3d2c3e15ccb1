"""Template tags of the GOV.UK form groups."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BaseForm
from django.utils.safestring import SafeString

from common.forms import GovukBoundField

register = template.Library()


@register.simple_tag
def govuk_field(field: GovukBoundField, **look: Any) -> SafeString:
    """The field's form group with parts of its look set by the page: `{% govuk_field form.town width=20 %}`."""
    return field.as_group(**look)


@register.filter
def has_errors(form: BaseForm | None) -> bool:
    """True when the form was sent and is wrong; False for anything that is not a form."""
    return isinstance(form, BaseForm) and form.is_bound and bool(form.errors)


@register.filter
def as_list(value: Any) -> list[Any]:
    """The value as the only member of a list."""
    return [value]


@register.filter
def any_errors(forms: Any) -> bool:
    """True when one of the forms was sent and is wrong; False where there are none."""
    return isinstance(forms, (list, tuple)) and any(has_errors(form) for form in forms)


@register.filter
def cells(row: Sequence[Any], columns: Sequence[Any]) -> list[tuple[Any, bool]]:
    """Each value of a table's row with whether its column is numeric."""
    return [(value, bool(column.get("numeric"))) for value, column in zip(row, columns, strict=True)]


@register.filter
def page_numbers(page: "Page[Any]") -> list[int]:
    """Page numbers to offer around the present one; 0 stands for an ellipsis."""
    pages = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return [number if isinstance(number, int) else 0 for number in pages]
