"""A bound field that knows its GOV.UK component."""

from dataclasses import replace
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from common.forms.dates import PARTS, DatePartsInput
from common.forms.looks import Look, look_of, revealed_names

# The first match counts: Django's widget classes inherit from one another in surprising ways.
_KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (DatePartsInput, "date"),
    (forms.CheckboxSelectMultiple, "checkboxes"),
    (forms.RadioSelect, "radios"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Select, "select"),
    (forms.Textarea, "textarea"),
    (forms.PasswordInput, "password"),
    (forms.FileInput, "file"),
)
_CLASSES = {
    "input": "govuk-input",
    "password": "govuk-input govuk-password-input__input govuk-js-password-input-input",
    "select": "govuk-select",
    "textarea": "govuk-textarea",
    "file": "govuk-file-upload",
    "date": "",
}
_CHARACTER_WIDTHS = (2, 3, 4, 5, 10, 20, 30)


class GovukBoundField(BoundField):
    """Renders as Django's widget on its own, and as a whole GOV.UK form group through `as_field_group`."""

    @cached_property
    def look(self) -> Look:
        """What the form states about this field's presentation."""
        return look_of(self.form, self.name)

    @property
    def kind(self) -> str:
        """The GOV.UK component: input, password, textarea, select, file, date, radios, checkboxes or checkbox."""
        return next(
            (kind for widget, kind in _KINDS if isinstance(self.field.widget, widget)),
            "input",
        )

    @property
    def is_revealed(self) -> bool:
        """True when an option of another field reveals this one, and renders it."""
        return self.name in revealed_names(self.form)

    @property
    def error_target(self) -> str:
        """Id of the input that the error summary leads to; for a date the first part that is wrong."""
        id_ = str(self.field.widget.attrs.get("id") or self.auto_id)
        if self.kind in {"radios", "checkboxes"}:
            return f"{id_}_0"
        if self.kind == "date":
            return f"{id_}_{self._wrong_parts[0]}"
        return id_

    def get_context(self) -> dict[str, Any]:
        """Context of the field template, with the form's own look."""
        return self.group_context(self.look)

    def as_group(self, **overrides: Any) -> SafeString:
        """The GOV.UK form group with parts of its look replaced for this page."""
        return self.render(context=self.group_context(replace(self.look, **overrides)))

    def group_context(self, look: Look) -> dict[str, Any]:
        """Context of the field template: texts, ids and the rendered control or its options."""
        hint = self.help_text if look.hint is None else look.hint
        hint_id = f"{self.auto_id}_helptext" if hint else ""
        error_id = f"{self.auto_id}_error" if self.errors else ""
        counted = bool(look.count and self.kind == "textarea" and getattr(self.field, "max_length", None))
        count_id = f"{self.auto_id}-info" if counted else ""
        described_by = " ".join(part for part in (hint_id, error_id, count_id) if part)
        context: dict[str, Any] = {
            "field": self,
            "look": look,
            "kind": self.kind,
            "label": self.label if look.label is None else look.label,
            "label_class": self._label_class(look),
            "hint": hint,
            "hint_id": hint_id,
            "error_id": error_id,
            "count_id": count_id,
            "max_length": getattr(self.field, "max_length", None),
            "described_by": described_by,
        }
        if self.kind in {"radios", "checkboxes"}:
            context["options"] = self._options(look)
        else:
            context["control"] = self._control(look, described_by)
        return context

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        """Django's attributes, except that an attribute set to False by the form group stays away."""
        built = super().build_widget_attrs(attrs, widget)
        return {**built, **{name: False for name, value in attrs.items() if value is False}}

    def _label_class(self, look: Look) -> str:
        grouped = self.kind in {"radios", "checkboxes", "date"}
        base = "govuk-fieldset__legend" if grouped else "govuk-label"
        size = look.label_size or ("l" if look.page_heading else "s" if grouped else "")
        return " ".join(
            part
            for part in (
                base,
                f"{base}--{size}" if size else "",
                "govuk-visually-hidden" if look.hide_label else "",
            )
            if part
        )

    def _control(self, look: Look, described_by: str) -> SafeString:
        """Django's widget with the classes and attributes of its GOV.UK component, its placeholder left out."""
        widget = self.field.widget
        if widget.is_hidden:
            return self.as_widget()
        attrs: dict[str, Any] = {"required": False, "placeholder": False}
        if isinstance(widget, forms.NumberInput):
            # A number typed by hand is text: no wheel or arrow may change it (GOV.UK Design System, text input).
            widget = forms.TextInput(attrs={k: v for k, v in widget.attrs.items() if k not in {"min", "max", "step"}})
            attrs["inputmode"] = "decimal" if isinstance(self.field, forms.DecimalField) else "numeric"
        if self.kind == "checkbox":
            attrs["class"] = "govuk-checkboxes__input"
        else:
            attrs["class"] = self._class(look)
        attrs.update(self._attributes(look))
        if self.kind == "date":
            attrs["data-wrong-parts"] = " ".join(self._wrong_parts) if self.errors else ""
        else:
            attrs["aria-describedby"] = described_by or False
        if look.count:
            attrs["maxlength"] = False  # the count tells; cutting a pasted text in silence does not
        return self._with_own_attrs(widget, attrs)

    def _with_own_attrs(self, widget: forms.Widget, attrs: dict[str, Any]) -> SafeString:
        """Renders with `attrs`, adding to a class that the widget itself was given."""
        own = widget.attrs.get("class")
        if own and attrs.get("class"):
            attrs["class"] = f"{attrs['class']} {own}"
        return self.as_widget(widget, attrs)

    def _class(self, look: Look) -> str:
        base = _CLASSES.get(self.kind, "govuk-input")
        parts = [base]
        if look.width:
            if look.width in _CHARACTER_WIDTHS:
                parts.append(f"govuk-input--width-{look.width}")
            else:
                parts.append(f"govuk-!-width-{look.width}")
        if self.errors and base:
            parts.append(f"{base.split()[0]}--error")
        if look.count and self.kind == "textarea":
            parts.append("govuk-js-character-count")
        return " ".join(parts)

    def _attributes(self, look: Look) -> dict[str, Any]:
        attrs: dict[str, Any] = {}
        widget = self.field.widget
        if isinstance(widget, forms.EmailInput):
            attrs.update({"autocomplete": "email", "spellcheck": "false"})
        elif getattr(widget, "input_type", "") == "tel":
            attrs["autocomplete"] = "tel"
        elif self.kind == "password":
            attrs.update(
                {
                    "autocomplete": "current-password",
                    "autocapitalize": "none",
                    "spellcheck": "false",
                }
            )
        elif self.kind == "textarea":
            attrs.update({"rows": "5", "cols": False})
        if own := widget.attrs.get("autocomplete"):
            attrs["autocomplete"] = own
        if look.autocomplete:
            attrs["autocomplete"] = look.autocomplete
        if look.inputmode:
            attrs["inputmode"] = look.inputmode
        if look.spellcheck is not None:
            attrs["spellcheck"] = "true" if look.spellcheck else "false"
        if look.rows is not None:
            attrs["rows"] = str(look.rows)
        return attrs

    def _options(self, look: Look) -> list[dict[str, Any]]:
        """One dict for each radio or checkbox, with its hint and the fields it reveals."""
        id_ = self.field.widget.attrs.get("id") or self.auto_id
        context = self.field.widget.get_context(self.html_name, self.value(), {"id": id_})
        options = []
        for _group, members, _index in context["widget"]["optgroups"]:
            for option in members:
                value = str(option["value"])
                revealed = [self.form[name] for name in look.reveals.get(value, ())]
                option_id = option["attrs"].get("id", "")
                options.append(
                    {
                        "id": option_id,
                        "name": option["name"],
                        "value": value,
                        "label": option["label"],
                        "checked": option["selected"],
                        "disabled": self.field.disabled or bool(option["attrs"].get("disabled")),
                        "hint": look.option_hints.get(value, ""),
                        "hint_id": f"{option_id}_hint" if look.option_hints.get(value) else "",
                        "revealed": revealed,
                        "says_or": look.or_before is not None and value == look.or_before,
                    }
                )
        return options

    @property
    def _wrong_parts(self) -> tuple[str, ...]:
        """The parts named by the date's error code; all three for an error that names none."""
        for error in self.form.errors.as_data().get(self.name, []):
            parts = tuple(part for part in (error.code or "").partition(":")[2].split() if part in PARTS)
            if parts:
                return parts
        return PARTS
