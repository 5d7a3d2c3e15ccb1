"""The GOV.UK markup of Django forms."""

import datetime as dt
from typing import Any

import pytest
from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.template import Context, Template
from django.template.loader import render_to_string
from pytest_django.asserts import assertHTMLEqual, assertInHTML, assertNotInHTML

from common.forms import DatePartsField, DatePartsInput, GovukBoundField, GovukForm, Look


class EveryField(GovukForm, forms.Form):
    reference = forms.CharField(label="Reference", help_text="It is on your letter")
    pin = forms.CharField(label="PIN")
    email = forms.EmailField(label="Email address")
    mobile = forms.CharField(label="Mobile number", widget=forms.TelInput)
    password = forms.CharField(label="Password", widget=forms.PasswordInput)
    venue = forms.ChoiceField(label="Venue", choices=[("", "Choose"), ("m", "Maidstone")])
    note = forms.CharField(label="Note", widget=forms.Textarea, max_length=200, required=False)
    fee = forms.DecimalField(label="Fee")
    places = forms.IntegerField(label="Places", min_value=1)
    file = forms.FileField(label="Batch file")
    mode = forms.ChoiceField(
        label="How?", choices=[("d", "Online"), ("c", "Classroom"), ("n", "Either")], widget=forms.RadioSelect
    )
    contact = forms.ChoiceField(label="Contact by", choices=[("e", "Email"), ("t", "Text")], widget=forms.RadioSelect)
    text_number = forms.CharField(label="Number for texts", required=False)
    needs = forms.MultipleChoiceField(
        label="Needs", choices=[("b", "BSL"), ("s", "Step-free")], widget=forms.CheckboxSelectMultiple
    )
    agree = forms.BooleanField(label="I agree", help_text="To all of it")
    born_on = DatePartsField(
        label="Date of birth",
        noun="your date of birth",
        widget=DatePartsInput(birthday=True),
        help_text="As 31 3 1980",
    )
    secret = forms.CharField(widget=forms.HiddenInput)

    looks = {
        "reference": Look(width=20, autocomplete="off", spellcheck=False),
        "pin": Look(page_heading=True, inputmode="numeric"),
        "venue": Look(width="one-half"),
        "note": Look(count=True, rows=3),
        "fee": Look(prefix="£", width=5),
        "mode": Look(option_hints={"d": "On Zoom"}, or_before="n", inline=True),
        "contact": Look(reveals={"t": ("text_number",)}, label_size="m"),
    }


def group(name: str, data: dict[str, Any] | None = None) -> str:
    return str(EveryField(data)[name].as_field_group())


def test_text_input_has_its_label_hint_width_and_attributes() -> None:
    assertHTMLEqual(
        group("reference"),
        """
        <div class="govuk-form-group">
          <label class="govuk-label" for="id_reference">Reference</label>
          <div id="id_reference_helptext" class="govuk-hint">It is on your letter</div>
          <input type="text" name="reference" class="govuk-input govuk-input--width-20" autocomplete="off"
                 spellcheck="false" aria-describedby="id_reference_helptext" id="id_reference">
        </div>
        """,
    )


def test_text_input_in_error_is_marked_and_described_by_hint_and_error() -> None:
    assertHTMLEqual(
        group("reference", {"reference": ""}),
        """
        <div class="govuk-form-group govuk-form-group--error">
          <label class="govuk-label" for="id_reference">Reference</label>
          <div id="id_reference_helptext" class="govuk-hint">It is on your letter</div>
          <p id="id_reference_error" class="govuk-error-message">
            <span class="govuk-visually-hidden">Error:</span> Enter reference
          </p>
          <input type="text" name="reference" class="govuk-input govuk-input--width-20 govuk-input--error"
                 autocomplete="off" spellcheck="false" aria-invalid="true"
                 aria-describedby="id_reference_helptext id_reference_error" id="id_reference">
        </div>
        """,
    )


def test_what_was_typed_is_escaped() -> None:
    assertInHTML(
        '<input type="text" name="pin" value="&quot;&gt;&lt;script&gt;" class="govuk-input" inputmode="numeric"'
        ' id="id_pin">',
        group("pin", {"pin": '"><script>'}),
    )


def test_label_as_page_heading_is_the_h1() -> None:
    assertInHTML(
        '<h1 class="govuk-label-wrapper"><label class="govuk-label govuk-label--l" for="id_pin">PIN</label></h1>',
        group("pin"),
    )


@pytest.mark.parametrize(
    ("name", "control"),
    [
        (
            "email",
            """<input type="email" name="email" maxlength="320" class="govuk-input" autocomplete="email"
                spellcheck="false" id="id_email">""",
        ),
        ("mobile", '<input type="tel" name="mobile" class="govuk-input" autocomplete="tel" id="id_mobile">'),
        (
            "venue",
            """<select name="venue" class="govuk-select govuk-!-width-one-half" id="id_venue">
                <option value="" selected>Choose</option><option value="m">Maidstone</option></select>""",
        ),
        ("places", '<input type="text" name="places" class="govuk-input" inputmode="numeric" id="id_places">'),
        ("file", '<input type="file" name="file" class="govuk-file-upload" id="id_file">'),
    ],
)
def test_single_control(name: str, control: str) -> None:
    assertInHTML(control, group(name), count=1)


def test_prefix_is_hidden_from_screen_readers() -> None:
    assertInHTML(
        """
        <div class="govuk-input__wrapper">
          <div class="govuk-input__prefix" aria-hidden="true">£</div>
          <input type="text" name="fee" class="govuk-input govuk-input--width-5" inputmode="decimal" id="id_fee">
        </div>
        """,
        group("fee"),
    )


def test_password_can_be_shown_and_never_comes_back() -> None:
    html = group("password", {"password": "correct horse"})
    assertInHTML(
        """
        <div class="govuk-input__wrapper govuk-password-input__wrapper">
          <input type="password" name="password" id="id_password" autocomplete="current-password" autocapitalize="none"
                 spellcheck="false"
                 class="govuk-input govuk-password-input__input govuk-js-password-input-input">
          <button type="button" hidden data-module="govuk-button" aria-controls="id_password"
                  aria-label="Show password" class="govuk-button govuk-button--secondary
                  govuk-password-input__toggle govuk-js-password-input-toggle">Show</button>
        </div>
        """,
        html,
    )
    assert "correct horse" not in html


def test_counted_textarea_states_its_limit_without_cutting() -> None:
    html = group("note")
    assertInHTML(
        '<textarea name="note" rows="3" class="govuk-textarea govuk-js-character-count"'
        ' aria-describedby="id_note-info" id="id_note"></textarea>',
        html,
    )
    assertInHTML(
        '<div id="id_note-info" class="govuk-hint govuk-character-count__message">'
        "You can enter up to 200 characters</div>",
        html,
    )
    assert 'data-module="govuk-character-count"' in html
    assert 'data-maxlength="200"' in html


def test_radios_have_hints_a_divider_and_the_chosen_one() -> None:
    assertHTMLEqual(
        group("mode", {"mode": "c"}),
        """
        <div class="govuk-form-group">
          <fieldset class="govuk-fieldset">
            <legend class="govuk-fieldset__legend govuk-fieldset__legend--s">How?</legend>
            <div class="govuk-radios govuk-radios--inline" data-module="govuk-radios">
              <div class="govuk-radios__item">
                <input class="govuk-radios__input" id="id_mode_0" name="mode" type="radio" value="d"
                       aria-describedby="id_mode_0_hint">
                <label class="govuk-label govuk-radios__label" for="id_mode_0">Online</label>
                <div id="id_mode_0_hint" class="govuk-hint govuk-radios__hint">On Zoom</div>
              </div>
              <div class="govuk-radios__item">
                <input class="govuk-radios__input" id="id_mode_1" name="mode" type="radio" value="c" checked>
                <label class="govuk-label govuk-radios__label" for="id_mode_1">Classroom</label>
              </div>
              <div class="govuk-radios__divider">or</div>
              <div class="govuk-radios__item">
                <input class="govuk-radios__input" id="id_mode_2" name="mode" type="radio" value="n">
                <label class="govuk-label govuk-radios__label" for="id_mode_2">Either</label>
              </div>
            </div>
          </fieldset>
        </div>
        """,
    )


def test_revealed_field_stands_under_its_option_and_nowhere_else() -> None:
    assertInHTML(
        """
        <div class="govuk-radios__conditional portal-revealed">
          <div class="govuk-form-group">
            <label class="govuk-label" for="id_text_number">Number for texts</label>
            <input type="text" name="text_number" class="govuk-input" id="id_text_number">
          </div>
        </div>
        """,
        group("contact"),
    )
    assert str(EveryField()).count('name="text_number"') == 1


def test_checkboxes_in_error_are_described_on_the_fieldset() -> None:
    html = group("needs", {"reference": "x"})
    assert 'aria-describedby="id_needs_error"' in html
    assertInHTML(
        '<input class="govuk-checkboxes__input" id="id_needs_1" name="needs" type="checkbox" value="s">', html, count=1
    )
    assertInHTML(
        '<p id="id_needs_error" class="govuk-error-message"><span class="govuk-visually-hidden">Error:</span>'
        " Select needs</p>",
        html,
    )


def test_several_checkboxes_keep_what_was_ticked() -> None:
    html = group("needs", {"needs": ["s"]})
    assertInHTML(
        '<input class="govuk-checkboxes__input" id="id_needs_1" name="needs" type="checkbox" value="s" checked>', html
    )


def test_single_checkbox_is_labelled_beside_it() -> None:
    assertHTMLEqual(
        group("agree", {"reference": "x"}),
        """
        <div class="govuk-form-group govuk-form-group--error">
          <p id="id_agree_error" class="govuk-error-message">
            <span class="govuk-visually-hidden">Error:</span> Tick the box to continue
          </p>
          <div class="govuk-checkboxes" data-module="govuk-checkboxes">
            <div class="govuk-checkboxes__item">
              <input type="checkbox" name="agree" class="govuk-checkboxes__input" aria-invalid="true"
                     aria-describedby="id_agree_helptext id_agree_error" id="id_agree">
              <label class="govuk-label govuk-checkboxes__label" for="id_agree">I agree</label>
              <div id="id_agree_helptext" class="govuk-hint govuk-checkboxes__hint">To all of it</div>
            </div>
          </div>
        </div>
        """,
    )


def test_date_marks_only_the_part_that_is_wrong() -> None:
    data = {"born_on_day": "31", "born_on_month": "3", "born_on_year": ""}
    html = group("born_on", data)
    assertInHTML(
        '<input class="govuk-input govuk-date-input__input govuk-input--width-2" id="id_born_on_day"'
        ' name="born_on_day" type="text" inputmode="numeric" value="31" autocomplete="bday-day">',
        html,
    )
    assertInHTML(
        '<input class="govuk-input govuk-date-input__input govuk-input--width-4 govuk-input--error"'
        ' id="id_born_on_year" name="born_on_year" type="text" inputmode="numeric" autocomplete="bday-year"'
        ' aria-invalid="true">',
        html,
    )
    assert 'aria-describedby="id_born_on_helptext id_born_on_error"' in html
    field = EveryField(data)["born_on"]
    assert isinstance(field, GovukBoundField)
    assert field.error_target == "id_born_on_year"
    assert EveryField(data).errors["born_on"] == ["Your date of birth must include a year"]


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        (("31", "3", "1980"), dt.date(1980, 3, 31)),
        ((" 1", "03", "1980 "), dt.date(1980, 3, 1)),
        (("9", "Sept", "2001"), dt.date(2001, 9, 9)),
        (("29", "february", "2000"), dt.date(2000, 2, 29)),
    ],
)
def test_date_is_read(typed: tuple[str, str, str], cleaned: dt.date) -> None:
    data = dict(zip(("born_on_day", "born_on_month", "born_on_year"), typed, strict=True))
    form = EveryField(data)
    form.full_clean()
    assert form.cleaned_data["born_on"] == cleaned


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("", "", ""), "Enter your date of birth"),
        (("", "", "1980"), "Your date of birth must include a day and month"),
        (("31", "3", "80"), "Year must include 4 numbers"),
        (("31", "2", "1980"), "Your date of birth must be a real date"),
        (("31", "13", "1980"), "Your date of birth must be a real date"),
        (("1_0", "3", "1980"), "Your date of birth must be a real date"),
        (("٣", "3", "1980"), "Your date of birth must be a real date"),
        (("1", "ju", "1980"), "Your date of birth must be a real date"),
        (("1", "1", "0000"), "Your date of birth must be a real date"),
    ],
)
def test_date_is_refused(typed: tuple[str, str, str], message: str) -> None:
    data = dict(zip(("born_on_day", "born_on_month", "born_on_year"), typed, strict=True))
    assert EveryField(data).errors["born_on"] == [message]


def test_optional_date_may_stay_empty() -> None:
    assert DatePartsField(required=False).clean(DatePartsInput().value_from_datadict({}, {}, "x")) is None


def test_date_shows_its_initial_value() -> None:
    html = str(EveryField(initial={"born_on": dt.date(1980, 3, 1)})["born_on"].as_field_group())
    assert 'value="1980"' in html
    assert 'value="3"' in html


def test_error_summary_leads_to_the_first_input_of_each_field() -> None:
    form = EveryField({"reference": "x", "pin": "1", "born_on_month": "3", "born_on_year": "1980"})
    form.add_error(None, "These do not belong together")
    html = render_to_string("components/error_summary.html", {"form": form})
    assertInHTML("<li>These do not belong together</li>", html)
    assertInHTML('<li><a href="#id_email">Enter email address</a></li>', html)
    assertInHTML('<li><a href="#id_mode_0">Select an answer</a></li>', html)
    assertInHTML('<li><a href="#id_needs_0">Select needs</a></li>', html)
    assertInHTML('<li><a href="#id_born_on_day">Your date of birth must include a day</a></li>', html)
    assertInHTML('<li><a href="#id_file">Choose a file</a></li>', html)
    assertInHTML("<li>Enter secret</li>", html)
    assertNotInHTML('<a href="#id_reference">Enter reference</a>', html)


@pytest.mark.parametrize("form", [None, EveryField(), "not a form"])
def test_error_summary_is_absent_while_nothing_is_wrong(form: Any) -> None:
    assert render_to_string("components/error_summary.html", {"form": form}).strip() == ""


def test_error_summary_takes_several_forms() -> None:
    html = render_to_string("components/error_summary.html", {"forms": [EveryField(), EveryField({"pin": "1"})]})
    assertInHTML('<li><a href="#id_reference">Enter reference</a></li>', html, count=1)


def test_page_may_override_parts_of_a_look() -> None:
    template = Template('{% load govuk %}{% govuk_field form.reference width=4 hint="" label="Your reference" %}')
    assertHTMLEqual(
        template.render(Context({"form": EveryField()})),
        """
        <div class="govuk-form-group">
          <label class="govuk-label" for="id_reference">Your reference</label>
          <input type="text" name="reference" class="govuk-input govuk-input--width-4" autocomplete="off"
                 spellcheck="false" id="id_reference">
        </div>
        """,
    )


def test_own_message_for_an_empty_field_stands() -> None:
    class Own(GovukForm, forms.Form):
        pin = forms.CharField(error_messages={"required": "Enter the PIN from your letter"})

    assert Own({}).errors["pin"] == ["Enter the PIN from your letter"]
    assert EveryField({}).errors["pin"] == ["Enter PIN"]


def test_whole_form_renders_hidden_fields_and_no_browser_validation() -> None:
    html = str(EveryField())
    assertInHTML('<input type="hidden" name="secret" id="id_secret">', html)
    assert " required" not in html
    assert " style=" not in html


def test_bare_widget_stays_djangos_own_for_the_admin() -> None:
    field = AuthenticationForm()["username"]
    assert isinstance(field, GovukBoundField)
    assert "govuk" not in str(field)
    assert 'class="govuk-input"' in field.as_field_group()


def test_form_of_a_library_loses_its_placeholder() -> None:
    class Library(forms.Form):
        code = forms.CharField(widget=forms.TextInput(attrs={"placeholder": "Code", "autocomplete": "one-time-code"}))

    assertInHTML(
        '<input type="text" name="code" autocomplete="one-time-code" class="govuk-input" id="id_code">',
        str(Library()["code"].as_field_group()),
    )
