"""The checks of rows: every code by name, what is told with it, and what is left untold."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import UTC, parse_instant
from referrals import rules
from referrals.rules import Problem, ReferralValues, check_forecast, check_referral
from referrals.rules import check_withdrawal as check_withdrawal_row
from referrals.rules.checked import Checked, ForecastValues, WithdrawalValues
from referrals.rules.problems import LONGEST_VALUE
from referrals.rules.values import COUNTRIES, read_date, read_datetime, read_month, read_number
from tests.referrals.rows import CONTEXT, GOOD, context, good


def check(**changes: str) -> Checked[ReferralValues]:
    return check_referral(good(**changes), context=CONTEXT)


def told(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(problem.column, problem.code) for problem in problems]


def assert_errors(checked: Checked[ReferralValues], *expected: tuple[str, str]) -> None:
    """A rejected row has these errors, in the order of its columns, and nothing else."""
    assert told(checked.errors) == list(expected)
    assert (checked.values, checked.quarantine, checked.warnings) == (None, (), ())
    assert all(error.message.endswith(".") for error in checked.errors)


def values_of(checked: Checked[ReferralValues]) -> ReferralValues:
    assert checked.errors == ()
    assert checked.values is not None
    return checked.values


def test_a_good_row_gives_its_values_and_nothing_else() -> None:
    assert check() == Checked(
        ReferralValues(
            force_code="46",
            reference="46KD00000126",
            pin="097435",
            course_code="NSAC",
            offence_code="SP30",
            offence_at=dt.datetime(2026, 11, 3, 18, 34, tzinfo=UTC),
            offence_location="A21 Tonbridge Bypass",
            speed_limit_mph=60,
            recorded_speed_mph=68,
            vehicle_registration="GJ22SLY",
            title="Mr",
            forenames="Paul Tomasz",
            surname="Ó'Brien",
            date_of_birth=dt.date(1965, 7, 3),
            licence_type="GB",
            driver_number="OBRIE607035PT9XB",
            licence_country="GB",
            address_1="123 Church Road",
            address_2="",
            address_3="",
            town="Ashford",
            postcode="TN23 3UT",
            country="GB",
            email="",
            mobile="07700900470",
            landline="",
            offer_date=dt.date(2026, 11, 20),
            book_by=dt.date(2026, 12, 18),
            complete_by=dt.date(2027, 3, 3),
        ),
        (),
        (),
        (),
    )


def test_values_have_the_columns_of_the_file() -> None:
    assert ReferralValues._fields == rules.REFERRALS.columns
    assert WithdrawalValues._fields == rules.WITHDRAWALS.columns
    assert ForecastValues._fields == rules.FORECAST.columns
    assert set(rules.KINDS) == {"referrals", "withdrawals", "forecast"}


def test_a_sequence_in_order_is_checked_like_a_mapping() -> None:
    assert check_referral(list(GOOD.values()), context=CONTEXT) == check()
    assert check_referral(tuple(GOOD.values()), context=CONTEXT) == check()


def test_a_sequence_of_another_length_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="29 cells"):
        check_referral(["46"], context=CONTEXT)


def test_columns_that_a_file_leaves_out_are_empty() -> None:
    needed = {name: GOOD[name] for name in rules.REFERRALS.needed} | {"driver_number": GOOD["driver_number"]}
    checked = check_referral(needed, context=CONTEXT)
    values = values_of(checked)
    assert (values.country, values.postcode, values.mobile, values.speed_limit_mph) == ("GB", "", "", None)
    assert [warning.code for warning in checked.warnings] == [
        "book_by_filled_in",
        "complete_by_filled_in",
        "no_contact",
    ]


def test_context_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        context(now=dt.datetime(2026, 11, 20))  # noqa: DTZ001


# Text is text


@pytest.mark.parametrize("column", ["forenames", "surname", "title", "address_1", "offence_location", "town"])
@pytest.mark.parametrize("text", ["O’Neil", "Zoë", "MÜLLER", "de la Cruz", " two  spaces ", "王", "=1+1", "TRUE"])
def test_names_and_addresses_are_kept_byte_for_byte(column: str, text: str) -> None:
    assert getattr(values_of(check(**{column: text})), column) == text


GOOD_CHARACTERS = st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="\u2028\u2029\ufffd")


@given(st.text(GOOD_CHARACTERS, min_size=1))
def test_any_name_without_bad_characters_comes_out_as_it_went_in(name: str) -> None:
    checked = check(surname=name)
    if name.isspace():
        assert_errors(checked, ("surname", "required"))
    elif len(name) > 120:
        assert_errors(checked, ("surname", "too_long"))
    else:
        assert values_of(checked).surname == name


def test_codes_are_taken_in_any_case_and_with_spaces_around() -> None:
    spoilt = good(
        reference=" 46kd00000126 ",
        course_code="nsac",
        offence_code=" sp30",
        licence_type="gb ",
        country=" gb",
        postcode="tn233ut",
        driver_number="obrie 607035 pt9xb",
        pin=" 097435 ",
        offence_at=" 2026-11-03T18:34 ",
        mobile="07700 900470",
    )
    assert check_referral(spoilt, context=CONTEXT) == check()


# Every error, by code


@pytest.mark.parametrize("blank", ["", "   "])
@pytest.mark.parametrize(
    "column",
    [
        "force_code",
        "reference",
        "pin",
        "course_code",
        "offence_code",
        "offence_at",
        "forenames",
        "surname",
        "date_of_birth",
        "licence_type",
        "driver_number",
        "address_1",
        "offer_date",
    ],
)
def test_required(column: str, blank: str) -> None:
    assert_errors(check(**{column: blank}), (column, "required"))


def test_required_driver_number_for_gb_and_ni_only() -> None:
    assert_errors(check(licence_type="NI", driver_number=""), ("driver_number", "required"))
    for licence_type in ("EU", "OTHER", "NONE"):
        assert values_of(check(licence_type=licence_type, driver_number="")).driver_number == ""


@pytest.mark.parametrize("column", ["date_of_birth", "offer_date", "book_by", "complete_by"])
@pytest.mark.parametrize(
    "text",
    [
        "31/02/1980",
        "1980-13-01",
        "1980-1-1",
        "1/1/1980",
        "01/02/80",  # a year of two figures
        "12/31/2026",  # as in the US
        "2026-12-18T00:00",
        "46332",  # a spreadsheet's own number
        "20261218",
        "18 Dec 2026",
        "18-12-2026",
        "18.12.2026",
        "1e5",
        "TRUE",
        "0001-01-01",
        "9999-12-31",
        "２０２６-12-18",
    ],
)
def test_invalid_date(column: str, text: str) -> None:
    assert_errors(check(**{column: text}), (column, "invalid_date"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-03",
        "03/11/2026 18:34",
        "2026-11-03 18:34",
        "2026-11-03T18:34:00",
        "2026-11-03T18:34Z",
        "2026-11-03T24:00",
        "2026-11-31T10:00",
        "2026-11-03T1834",
        "46332.77",
        "TRUE",
    ],
)
def test_invalid_datetime(text: str) -> None:
    assert_errors(check(offence_at=text), ("offence_at", "invalid_datetime"))


def test_invalid_datetime_for_the_hour_that_the_clocks_skip() -> None:
    setting = context(now=parse_instant("2026-04-20"))
    row = good(offence_at="2026-03-29T01:30", offer_date="2026-04-02", book_by="", complete_by="")
    assert told(check_referral(row, context=setting).errors) == [("offence_at", "invalid_datetime")]


def test_an_offence_in_the_hour_that_comes_twice_is_taken_as_the_first() -> None:
    values = values_of(check(offence_at="2026-10-25T01:30", complete_by="2027-03-03"))
    assert values.offence_at == dt.datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_offence_times_are_london_times() -> None:
    assert values_of(check(offence_at="2026-10-20T18:34")).offence_at == dt.datetime(2026, 10, 20, 17, 34, tzinfo=UTC)


def test_in_future() -> None:
    assert_errors(check(offence_at="2026-11-20T12:01"), ("offence_at", "in_future"))
    assert_errors(check(offer_date="2026-11-21"), ("offer_date", "in_future"))
    assert_errors(check(date_of_birth="2026-11-21"), ("date_of_birth", "in_future"))
    assert values_of(check(offence_at="2026-11-20T12:00")).offence_at == CONTEXT.now


def test_before_offence() -> None:
    assert_errors(check(offer_date="2026-11-02"), ("offer_date", "before_offence"))
    assert_errors(check(book_by="2026-11-02"), ("book_by", "before_offence"))
    assert_errors(check(complete_by="2026-11-02"), ("complete_by", "before_offence"))


def test_before_offer() -> None:
    assert_errors(check(book_by="2026-11-19"), ("book_by", "before_offer"))
    assert_errors(check(complete_by="2026-11-19"), ("complete_by", "before_offer"))
    assert values_of(check(book_by="2026-11-20")).book_by == dt.date(2026, 11, 20)


def test_before_offer_where_the_default_would_be() -> None:
    # Offence on 20 June: four months from it is 20 October, a month before the offer.
    checked = check(offence_at="2026-06-20T10:00", complete_by="")
    assert_errors(checked, ("complete_by", "before_offer"))
    assert "20 October 2026" in checked.errors[0].message


def test_time_barred_from_the_day_after_six_months() -> None:
    assert_errors(check(offence_at="2026-05-19T10:00"), ("offence_at", "time_barred"))
    # On the very day an information may still be laid, but no last day is left that is not before the offer.
    assert_errors(
        check(offence_at="2026-05-20T10:00", book_by="", complete_by=""),
        ("book_by", "before_offer"),
        ("complete_by", "before_offer"),
    )


def test_after_time_limit() -> None:
    assert values_of(check(complete_by="2027-05-02")).complete_by == dt.date(2027, 5, 2)
    checked = check(complete_by="2027-05-03")
    assert_errors(checked, ("complete_by", "after_time_limit"))
    assert "2 May 2027" in checked.errors[0].message


@pytest.mark.parametrize("text", ["99", "4", "046", "Kent", "4６"])
def test_unknown_force(text: str) -> None:
    assert_errors(check(force_code=text), ("force_code", "unknown_force"))


@pytest.mark.parametrize("text", ["XYZ", "NSAC-20", "TRUE"])
def test_unknown_course(text: str) -> None:
    checked = check(course_code=text)
    assert_errors(checked, ("course_code", "unknown_course"))
    assert checked.errors[0] == (
        "course_code",
        "unknown_course",
        "Write one of NMAC, NRRAC, NSAC, SCD, WDU.",
        text,
    )


@pytest.mark.parametrize("text", ["46KD1", "46KD 00000126", "46KD#000126", "4" * 26, "1E+10."])
def test_invalid_reference(text: str) -> None:
    assert_errors(check(reference=text), ("reference", "invalid_reference"))


@pytest.mark.parametrize("text", ["12", "123456789", "12 34", "12a4", "1e5", "-1234", "1234.0"])
def test_invalid_pin(text: str) -> None:
    assert_errors(check(pin=text), ("pin", "invalid_pin"))


@pytest.mark.parametrize("text", ["NOT A CODE", "TN23", "75001"])
def test_invalid_postcode(text: str) -> None:
    assert_errors(check(postcode=text), ("postcode", "invalid_postcode"))


def test_an_address_abroad_may_have_a_code_of_its_own_or_none() -> None:
    assert values_of(check(country="FR", postcode=" 75001 ")).postcode == "75001"
    assert values_of(check(country="IN", postcode="")).postcode == ""
    assert_errors(check(country="US", postcode="12345-6789"), ("postcode", "too_long"))


@pytest.mark.parametrize(
    ("licence_type", "text"),
    [("GB", "OBRIE607035PT9X"), ("GB", "12345678"), ("GB", "TRUE"), ("NI", "1234567"), ("NI", "OBRIE607035PT9XB")],
)
def test_invalid_driver_number(licence_type: str, text: str) -> None:
    checked = check(licence_type=licence_type, driver_number=text)
    assert_errors(checked, ("driver_number", "invalid_driver_number"))


def test_driver_numbers_of_other_countries_are_kept_as_they_are() -> None:
    assert values_of(check(licence_type="NI", driver_number="1234 5678")).driver_number == "12345678"
    assert values_of(check(licence_type="EU", driver_number=" AB-12/x ")).driver_number == "AB-12/x"


@pytest.mark.parametrize("text", ["UK", "FULL", "G B", "TRUE"])
def test_invalid_licence_type(text: str) -> None:
    assert_errors(check(licence_type=text, driver_number=""), ("licence_type", "invalid_licence_type"))


@pytest.mark.parametrize("column", ["country", "licence_country"])
@pytest.mark.parametrize("text", ["UK", "France", "ZZ", "G"])
def test_invalid_country(column: str, text: str) -> None:
    assert_errors(check(**{column: text}), (column, "invalid_country"))


def test_countries_are_those_of_the_standard() -> None:
    assert len(COUNTRIES) == 250
    assert {"GB", "IE", "IN", "XK"} <= COUNTRIES
    assert all(len(code) == 2 and code.isupper() for code in COUNTRIES)


@pytest.mark.parametrize("text", ["paul", "paul@example", "paul@@example.org", "TRUE", "a@example.org b@example.org"])
def test_invalid_email(text: str) -> None:
    assert_errors(check(email=text), ("email", "invalid_email"))


@pytest.mark.parametrize("column", ["mobile", "landline"])
@pytest.mark.parametrize("text", ["7700900470", "7.700900470E9", "ring bell", "0", "TRUE"])
def test_invalid_phone(column: str, text: str) -> None:
    assert_errors(check(**{column: text}), (column, "invalid_phone"))


@pytest.mark.parametrize("column", ["speed_limit_mph", "recorded_speed_mph"])
@pytest.mark.parametrize("text", ["1e5", "TRUE", "30.5", "30.0", "-30", "+30", "thirty", "30mph", "0", "1000", "３０"])
def test_invalid_number(column: str, text: str) -> None:
    assert_errors(check(**{column: text}), (column, "invalid_number"))


@pytest.mark.parametrize("text", ["SP3", "SPEED", "30SP", "1e5"])
def test_invalid_offence_code(text: str) -> None:
    assert_errors(check(offence_code=text), ("offence_code", "invalid_offence_code"))


@pytest.mark.parametrize("column", list(GOOD))
@pytest.mark.parametrize("code", [0x00, 0x07, 0x09, 0x0A, 0x85, 0x9D, 0xD800, 0xDFFF, 0xFFFD, 0x2028])
def test_invalid_character_in_any_column(column: str, code: int) -> None:
    checked = check(**{column: f"Smi{chr(code)}th"})
    assert_errors(checked, (column, "invalid_character"))
    assert checked.errors[0].value == f"Smi<U+{code:04X}>th"


def test_invalid_character_in_an_otherwise_good_cell_brings_no_other_error() -> None:
    assert_errors(check(country="\x00GB", postcode="NOT A CODE"), ("country", "invalid_character"))
    assert_errors(check(licence_type="GB\x00", driver_number=""), ("licence_type", "invalid_character"))
    assert_errors(
        check(date_of_birth="1965-07-03\x00", pin="12"), ("pin", "invalid_pin"), ("date_of_birth", "invalid_character")
    )


@pytest.mark.parametrize("character", ["\u00a0", "\u200d", "\u0301", "’", "\U0001f600", "\u00ad"])
def test_characters_that_are_merely_unusual_are_taken(character: str) -> None:
    assert values_of(check(surname=f"Ó'Brien{character}")).surname == f"Ó'Brien{character}"


@pytest.mark.parametrize(
    ("column", "longest"),
    [
        ("offence_location", 200),
        ("title", 35),
        ("forenames", 120),
        ("surname", 120),
        ("address_1", 120),
        ("address_2", 120),
        ("address_3", 120),
        ("town", 80),
        ("vehicle_registration", 12),
    ],
)
def test_too_long(column: str, longest: int) -> None:
    assert getattr(values_of(check(**{column: "A" * longest})), column) == "A" * longest
    assert_errors(check(**{column: "A" * (longest + 1)}), (column, "too_long"))


def test_too_long_for_a_driver_number_from_abroad() -> None:
    assert values_of(check(licence_type="OTHER", driver_number="A" * 35)).driver_number == "A" * 35
    assert_errors(check(licence_type="OTHER", driver_number="A" * 36), ("driver_number", "too_long"))


def test_too_young() -> None:
    # The offence was on 3 November 2026.
    assert_errors(check(date_of_birth="2010-11-04"), ("date_of_birth", "too_young"))
    assert values_of(check(date_of_birth="2010-11-03")).date_of_birth == dt.date(2010, 11, 3)
    assert_errors(check(date_of_birth="2026-11-10"), ("date_of_birth", "too_young"))


# Checks that depend on one another


def test_all_errors_of_a_row_are_told_in_the_order_of_its_columns() -> None:
    checked = check(
        complete_by="tomorrow", pin="12", surname="", postcode="NOT A CODE", date_of_birth="31/02/1980", email="x"
    )
    assert_errors(
        checked,
        ("pin", "invalid_pin"),
        ("surname", "required"),
        ("date_of_birth", "invalid_date"),
        ("postcode", "invalid_postcode"),
        ("email", "invalid_email"),
        ("complete_by", "invalid_date"),
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # An offence in error says nothing of age, of the offer, of the last days.
        ({"offence_at": "?", "date_of_birth": "2015-06-01"}, ("offence_at", "invalid_datetime")),
        ({"offence_at": "?", "complete_by": "2030-01-01"}, ("offence_at", "invalid_datetime")),
        ({"offence_at": "2026-12-25T10:00"}, ("offence_at", "in_future")),
        ({"offence_at": "2026-03-01T10:00", "complete_by": "2026-12-20"}, ("offence_at", "time_barred")),
        ({"offence_at": "?", "book_by": "", "complete_by": ""}, ("offence_at", "invalid_datetime")),
        # An offer in error says nothing of them either.
        ({"offer_date": "?", "book_by": "2026-11-19"}, ("offer_date", "invalid_date")),
        ({"offer_date": "2026-11-01", "book_by": ""}, ("offer_date", "before_offence")),
        # A kind of licence, or a country, that is none asks for no number and no postcode.
        ({"licence_type": "?", "driver_number": "?"}, ("licence_type", "invalid_licence_type")),
        ({"country": "UK", "postcode": "?"}, ("country", "invalid_country")),
        # Only the first thing wrong with a last day is told.
        ({"complete_by": "2026-01-01"}, ("complete_by", "before_offence")),
    ],
)
def test_a_check_that_rests_on_a_value_in_error_is_not_made(
    changes: dict[str, str], expected: tuple[str, str]
) -> None:
    assert_errors(check(**changes), expected)


def test_last_days_are_still_compared_with_the_offer_where_the_offence_is_in_error() -> None:
    assert_errors(
        check(offence_at="?", book_by="2026-11-19"), ("offence_at", "invalid_datetime"), ("book_by", "before_offer")
    )


def test_the_value_told_is_cut_when_very_long() -> None:
    value = check(email="x" * 1000).errors[0].value
    assert value == "x" * (LONGEST_VALUE - 1) + "…"


# Every warning, by code


def warnings_of(checked: Checked[ReferralValues]) -> list[tuple[str, str]]:
    assert checked.errors == ()
    return told(checked.warnings)


@pytest.mark.parametrize(
    ("limit", "speed", "is_outside"),
    [
        ("30", "34", True),
        ("30", "35", False),
        ("30", "42", False),
        ("30", "43", True),
        ("70", "79", False),
        ("70", "87", True),
        ("25", "30", True),  # no band at all
        ("30", "", False),
        ("", "61", False),
    ],
)
def test_speed_outside_band(limit: str, speed: str, is_outside: bool) -> None:
    expected = [("recorded_speed_mph", "speed_outside_band")] if is_outside else []
    assert warnings_of(check(speed_limit_mph=limit, recorded_speed_mph=speed)) == expected


def test_speed_bands_are_passed_in() -> None:
    setting = context(speed_bands={60: (60, 67)})
    assert told(check_referral(GOOD, context=setting).warnings) == [("recorded_speed_mph", "speed_outside_band")]


def test_driver_number_mismatch() -> None:
    checked = check(surname="Khan", date_of_birth="1980-01-01")
    assert warnings_of(checked) == [("driver_number", "driver_number_mismatch")]
    assert "surname and the date of birth" in checked.warnings[0].message


def test_driver_number_issue_number_removed() -> None:
    checked = check(driver_number="OBRIE607035PT9XB 12")
    assert warnings_of(checked) == [("driver_number", "driver_number_issue_number_removed")]
    assert values_of(checked).driver_number == "OBRIE607035PT9XB"


@pytest.mark.parametrize("text", ["A", "AB12CDE99", "GJ22-SLY", "ÄB12CDE"])
def test_odd_vehicle_registration(text: str) -> None:
    checked = check(vehicle_registration=text)
    assert warnings_of(checked) == [("vehicle_registration", "odd_vehicle_registration")]
    assert values_of(checked).vehicle_registration == text


def test_complete_by_filled_in() -> None:
    checked = check(complete_by="")
    assert warnings_of(checked) == [("complete_by", "complete_by_filled_in")]
    assert values_of(checked).complete_by == dt.date(2027, 3, 3)  # four months from the offence


def test_book_by_filled_in() -> None:
    checked = check(book_by=" ")
    assert warnings_of(checked) == [("book_by", "book_by_filled_in")]
    assert values_of(checked).book_by == dt.date(2026, 12, 18)  # 28 days from the offer


def test_what_is_filled_in_is_never_later_than_the_time_limit() -> None:
    # Offence 10 June: the time limit is 9 December.
    values = values_of(check(offence_at="2026-06-10T10:00", book_by="", complete_by="2026-12-09"))
    assert values.book_by == dt.date(2026, 12, 9)


def test_what_is_filled_in_follows_the_terms_passed_in() -> None:
    setting = context(book_by_days=14, complete_by_months=5)
    values = values_of(check_referral(good(book_by="", complete_by=""), context=setting))
    assert (values.book_by, values.complete_by) == (dt.date(2026, 12, 4), dt.date(2027, 4, 3))


def test_no_contact() -> None:
    assert warnings_of(check(mobile="", landline="01622000000")) == [("", "no_contact")]
    assert warnings_of(check(mobile="", email="paul@example.org")) == []


def test_warnings_are_in_the_order_of_their_codes() -> None:
    checked = check(
        vehicle_registration="A", book_by="", complete_by="", mobile="", surname="Khan", recorded_speed_mph="99"
    )
    assert [code for _, code in warnings_of(checked)] == [
        "book_by_filled_in",
        "complete_by_filled_in",
        "driver_number_mismatch",
        "no_contact",
        "odd_vehicle_registration",
        "speed_outside_band",
    ]


# Quarantine


def test_other_force_is_quarantined_with_its_values_and_warnings() -> None:
    checked = check(force_code="42", book_by="")
    assert values_of(checked).force_code == "42"
    assert told(checked.quarantine) == [("force_code", "other_force")]
    assert warnings_of(checked) == [("book_by", "book_by_filled_in")]


def test_other_force_with_an_error_is_rejected() -> None:
    assert_errors(check(force_code="42", pin="12"), ("pin", "invalid_pin"))


# Withdrawals and forecasts

WITHDRAWAL = {
    "force_code": "46",
    "reference": "46KD00013126",
    "reason": "COURT",
    "effective_at": "2026-11-21T09:30",
}
FORECAST = {"force_code": "46", "month": "2026-12", "course_code": "NSAC", "expected_referrals": "3900"}


def check_withdrawal(**changes: str) -> Checked[WithdrawalValues]:
    return check_withdrawal_row(WITHDRAWAL | changes, context=CONTEXT)


def check_forecast_row(**changes: str) -> Checked[ForecastValues]:
    return check_forecast(FORECAST | changes, context=CONTEXT)


def test_a_good_withdrawal() -> None:
    effective_at = dt.datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    assert check_withdrawal() == Checked(WithdrawalValues("46", "46KD00013126", "COURT", effective_at))
    assert check_withdrawal(effective_at="") == Checked(WithdrawalValues("46", "46KD00013126", "COURT", None))


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("force_code", "99", "unknown_force"),
        ("reference", "", "required"),
        ("reference", "?", "invalid_reference"),
        ("reason", "", "required"),
        ("reason", "PAID", "invalid_reason"),
        ("effective_at", "21/11/2026", "invalid_datetime"),
        ("effective_at", "\x00", "invalid_character"),
    ],
)
def test_a_bad_withdrawal(column: str, text: str, code: str) -> None:
    checked = check_withdrawal(**{column: text})
    assert told(checked.errors) == [(column, code)]
    assert checked.values is None


def test_a_withdrawal_of_another_force_is_quarantined() -> None:
    assert told(check_withdrawal(force_code="42").quarantine) == [("force_code", "other_force")]


def test_a_good_forecast() -> None:
    expected = Checked(ForecastValues("46", dt.date(2026, 12, 1), "NSAC", 3900))
    assert check_forecast_row() == expected
    assert check_forecast_row(month="2026-12-01") == expected  # what a spreadsheet makes of a month
    assert check_forecast_row(expected_referrals="0").values == ("46", dt.date(2026, 12, 1), "NSAC", 0)


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("month", "", "required"),
        ("month", "12/2026", "invalid_date"),
        ("month", "2026-13", "invalid_date"),
        ("month", "2026-12-02", "invalid_date"),
        ("course_code", "XYZ", "unknown_course"),
        ("course_code", "", "required"),
        ("expected_referrals", "", "required"),
        ("expected_referrals", "3,900", "invalid_number"),
        ("expected_referrals", "-1", "invalid_number"),
        ("expected_referrals", "1e3", "invalid_number"),
    ],
)
def test_a_bad_forecast(column: str, text: str, code: str) -> None:
    checked = check_forecast_row(**{column: text})
    assert told(checked.errors) == [(column, code)]
    assert checked.values is None


# Reading values


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)))
def test_both_forms_of_a_date_are_the_same_day(day: dt.date) -> None:
    assert read_date(day.isoformat()) == day
    assert read_date(day.strftime("%d/%m/%Y")) == day
    assert read_month(day.strftime("%Y-%m")) == day.replace(day=1)


@given(st.text(alphabet="0123456789-/T: ", max_size=20))
def test_reading_never_raises(text: str) -> None:
    read_date(text), read_datetime(text), read_month(text), read_number(text, 3)


# The three-year bar


def test_the_schemes_own_example_of_the_three_year_bar() -> None:
    earlier = dt.date(2017, 4, 18)
    assert rules.allowed_from(earlier) == dt.date(2020, 4, 19)
    assert rules.is_barred(dt.date(2020, 4, 18), earlier)
    assert not rules.is_barred(dt.date(2020, 4, 19), earlier)


def test_three_year_bar_from_29_february_ends_on_28_february() -> None:
    assert rules.allowed_from(dt.date(2024, 2, 29)) == dt.date(2027, 3, 1)
    assert rules.is_barred(dt.date(2027, 2, 28), dt.date(2024, 2, 29))


def test_three_year_bar_does_not_ask_which_offence_came_first() -> None:
    assert rules.is_barred(dt.date(2017, 4, 18), dt.date(2020, 4, 18))
    assert not rules.is_barred(dt.date(2017, 4, 18), dt.date(2020, 4, 19))


def test_time_limit_is_the_day_before_six_months() -> None:
    assert rules.time_limit(dt.date(2026, 11, 3)) == dt.date(2027, 5, 2)
    assert rules.time_limit(dt.date(2026, 8, 31)) == dt.date(2027, 2, 27)
    assert rules.default_complete_by(dt.date(2026, 10, 31), months=4) == dt.date(2027, 2, 28)
