"""Identifiers: what is one, in which form it is kept, and how driver numbers are compared with people."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import identifiers
from common.identifiers import driver_number_mismatches, parse_gb_driver_number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("46KD00000126", "46KD00000126"),
        (" 46kd/00-1 ", "46KD/00-1"),
        ("000046UG04", "000046UG04"),
        ("ABCDE", None),
        ("A" * 26, None),
        ("46KD 0001", None),
        ("46KD_0001", None),
        ("４６KD0001", None),
        ("", None),
    ],
)
def test_normalise_reference(text: str, expected: str | None) -> None:
    assert identifiers.normalise_reference(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0001", True), ("12345678", True), ("123", False), ("123456789", False), ("12a4", False), ("١٢٣٤", False)],
)
def test_is_pin(text: str, expected: bool) -> None:
    assert identifiers.is_pin(text) is expected


@pytest.mark.parametrize(("text", "expected"), [("46", True), ("01", True), ("1", False), ("4 6", False)])
def test_is_force_code(text: str, expected: bool) -> None:
    assert identifiers.is_force_code(text) is expected


@pytest.mark.parametrize(("text", "expected"), [("SP30", "SP30"), (" sp30 ", "SP30"), ("SP3", None), ("30SP", None)])
def test_normalise_offence_code(text: str, expected: str | None) -> None:
    assert identifiers.normalise_offence_code(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m1 1aa", "M1 1AA"),  # A9
        ("CR26XH", "CR2 6XH"),  # AA9
        ("M60 1NW", "M60 1NW"),  # A99
        ("TN233UT", "TN23 3UT"),  # AA99
        ("W1A 1HQ", "W1A 1HQ"),  # A9A
        (" ec1a  1bb ", "EC1A 1BB"),  # AA9A
        ("NOT A CODE", None),
        ("TN23", None),
        ("TN23 3U1", None),
        ("TN233 3UT", None),
        ("75001", None),
        ("", None),
    ],
)
def test_normalise_postcode_knows_the_six_forms(text: str, expected: str | None) -> None:
    assert identifiers.normalise_postcode(text) == expected


@pytest.mark.parametrize(
    ("text", "kept", "usual"),
    [("gj22 sly", "GJ22SLY", True), ("A1", "A1", True), ("1", "1", False), ("AB12CDE99", "AB12CDE99", False)],
)
def test_registrations_are_kept_even_when_odd(text: str, kept: str, usual: bool) -> None:
    assert identifiers.normalise_registration(text) == kept
    assert identifiers.is_usual_registration(kept) is usual


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Zoe.O'Neil+ndors@Example.org ", "Zoe.O'Neil+ndors@Example.org"),
        ("a@b.co.uk", "a@b.co.uk"),
        ("a@xn--bcher-kva.xn--p1ai", "a@xn--bcher-kva.xn--p1ai"),
        ("a@b", None),
        ("a b@example.org", None),
        ("a@b@example.org", None),
        ("a..b@example.org", None),
        (".a@example.org", None),
        ("a@-b.org", None),
        ("a@example.org, b@example.org", None),
        (f"{'a' * 65}@example.org", None),
        (f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.{'f' * 60}.org", None),
        ("", None),
    ],
)
def test_normalise_email(text: str, expected: str | None) -> None:
    assert identifiers.normalise_email(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("07700900123", "07700900123"),
        (" 07700 900-123 ", "07700900123"),
        ("(01622) 000000", "01622000000"),
        ("+44 (0)7700 900123", "+447700900123"),
        ("0033123456789", "0033123456789"),
        ("7700900123", None),  # the leading zero was lost: not repaired
        ("7.700900123E9", None),
        ("07700", None),
        ("0770090012345", None),
        ("call me", None),
        ("", None),
    ],
)
def test_normalise_phone(text: str, expected: str | None) -> None:
    assert identifiers.normalise_phone(text) == expected


@pytest.mark.parametrize(
    ("text", "number", "issue_number"),
    [
        ("MORGA657054SM9IJ", "MORGA657054SM9IJ", ""),
        ("morga 657054 sm9ij", "MORGA657054SM9IJ", ""),
        ("OKAFO960299S99DE 12", "OKAFO960299S99DE", "12"),
        ("MORGA-657054-SM9IJ-35", "MORGA657054SM9IJ", "35"),
        ("ROSE9961079FA9XT", "ROSE9961079FA9XT", ""),
        ("A9999651010J99AB", "A9999651010J99AB", ""),
    ],
)
def test_parse_gb_driver_number(text: str, number: str, issue_number: str) -> None:
    assert parse_gb_driver_number(text) == (number, issue_number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MORGA657054SM9I",
        "MORGA657054SM9IJX",
        "MORGA657054SM9IJ123",
        "99999657054SM9IJ",  # no letter at all
        "MO9GA657054SM9IJ",  # padding inside the name
        "MORGA613054SM9IJ",  # month 13
        "MORGA663054SM9IJ",  # month 13 of a woman
        "MORGA607324SM9IJ",  # day 32
        "MORGA6570549M9IJ",  # a second initial without a first
        "MORGA657054SM919",  # figures for check letters
        "MORGA657054SM9IJ１２",
    ],
)
def test_parse_gb_driver_number_refuses(text: str) -> None:
    assert parse_gb_driver_number(text) is None


@pytest.mark.parametrize(("text", "expected"), [("12345678", "12345678"), ("1234 5678", "12345678"), ("123", None)])
def test_normalise_ni_driver_number(text: str, expected: str | None) -> None:
    assert identifiers.normalise_ni_driver_number(text) == expected


def test_driver_number_key_is_the_same_with_and_without_issue_number() -> None:
    assert identifiers.driver_number_key("okafo960299s99de 12") == identifiers.driver_number_key("OKAFO960299S99DE")
    assert identifiers.driver_number_key(" ab-12 34 ") == "AB1234"


BORN = dt.date(1971, 5, 9)


@pytest.mark.parametrize(
    ("number", "surname", "forenames", "born"),
    [
        ("ONEIL705091S99MU", "O’Neil", "Seán", BORN),
        ("ONEIL705091S99MU", "O'NEIL", "Seán", BORN),
        ("MULLE755091Z99MF", "Müller", "Zoë", BORN),
        ("MUELL755091Z99MF", "Müller", "Zoë", BORN),
        ("MCDON705091JP9AB", "MacDonald", "John Paul", BORN),
        ("MCDON705091JP9AB", "McDonald", "Jean-Paul", BORN),
        ("MCDON705091JX9AB", "Mc Donald", "Jean-Paul Xavier", BORN),
        ("DELAC705091J99AB", "de la Cruz", "Juan", BORN),
        ("NG999705091J99AB", "Ng", "Jia", BORN),
        ("SMITH705091JM9AB", "Smith", "John", BORN),  # a middle name that the file leaves out
        ("LOWYX705091S99AB", "Łowyx", "Søren", BORN),
        ("SMITH755091J99AB", "Smith", "Jo", BORN),  # month + 50
        ("SMITH001020J99AB", "Smith", "Jo", dt.date(2000, 1, 2)),
        ("ABCDE705091J99AB", "王", "伟", BORN),  # nothing to compare
    ],
)
def test_a_driver_number_that_fits(number: str, surname: str, forenames: str, born: dt.date) -> None:
    assert parse_gb_driver_number(number) is not None
    assert driver_number_mismatches(number, surname=surname, forenames=forenames, born=born) == ()


@pytest.mark.parametrize(
    ("number", "surname", "forenames", "born", "expected"),
    [
        ("SMITH604123AB9CD", "Khan", "James", dt.date(1980, 1, 1), ("surname", "date of birth", "forenames")),
        ("ONEIL705091S99MU", "Neil", "Seán", BORN, ("surname",)),
        ("ONEIL705091S99MU", "O'Neil", "Seán", dt.date(1981, 5, 9), ("date of birth",)),
        ("ONEIL705091S99MU", "O'Neil", "Seán", dt.date(1971, 6, 9), ("date of birth",)),
        ("ONEIL705091S99MU", "O'Neil", "Seán", dt.date(1971, 5, 10), ("date of birth",)),
        ("ONEIL705091S99MU", "O'Neil", "Seán", dt.date(1972, 5, 9), ("date of birth",)),
        ("ONEIL705091S99MU", "O'Neil", "Aoife", BORN, ("forenames",)),
        ("ONEIL705091S99MU", "O'Neil", "Seán Mark", BORN, ("forenames",)),
        ("MACDO705091J99AB", "Macdonald", "John", BORN, ("surname",)),  # Mac gives MC
    ],
)
def test_a_driver_number_that_does_not_fit(
    number: str, surname: str, forenames: str, born: dt.date, expected: tuple[str, ...]
) -> None:
    assert driver_number_mismatches(number, surname=surname, forenames=forenames, born=born) == expected


def test_what_is_not_known_is_not_compared() -> None:
    assert driver_number_mismatches("SMITH604123AB9CD", surname=None, forenames=None, born=None) == ()


@given(st.text())
def test_name_key_holds_nothing_but_a_to_z(name: str) -> None:
    assert set(identifiers.name_key(name)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_booking_references_have_no_letters_that_look_alike_and_read_back() -> None:
    references = {identifiers.new_booking_reference() for _ in range(500)}
    assert len(references) == 500
    for reference in references:
        assert identifiers.normalise_booking_reference(f" {reference.lower().replace('-', ' ')} ") == reference
    assert not set("".join(references).replace("KCC-", "")) & set("01258AEIOULSZB")


@pytest.mark.parametrize("text", ["", "KCC-0000-CCCC", "KCC-CCCC-CCC", "CCC-CCCC-CCCC"])
def test_normalise_booking_reference_refuses(text: str) -> None:
    assert identifiers.normalise_booking_reference(text) is None
