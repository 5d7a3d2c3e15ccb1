"""Django forms in GOV.UK Design System markup.

`{{ form }}` and `{{ form.field.as_field_group }}` render GOV.UK components. A bare `{{ form.field }}` stays Django's
own widget, so that Django admin, which uses nothing else, keeps its look under the same FORM_RENDERER.
"""

from common.forms.bound import GovukBoundField
from common.forms.dates import DatePartsField, DatePartsInput
from common.forms.looks import GovukForm, Look
from common.forms.renderer import GovukRenderer

__all__ = [
    "DatePartsField",
    "DatePartsInput",
    "GovukBoundField",
    "GovukForm",
    "GovukRenderer",
    "Look",
]
