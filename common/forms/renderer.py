"""The project's FORM_RENDERER."""

from django.forms.renderers import TemplatesSetting

from common.forms.bound import GovukBoundField


class GovukRenderer(TemplatesSetting):
    """Renders whole forms and field groups as GOV.UK components; single widgets stay Django's own."""

    form_template_name = "components/forms/form.html"
    field_template_name = "components/forms/field.html"
    bound_field_class = GovukBoundField
