"""Labels inside a sentence."""

import pytest

from common.labels import mid_sentence


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Cancelled by KCC", "cancelled by KCC"),
        ("Made by hand in Stripe's dashboard", "made by hand in Stripe's dashboard"),
        ("VAT", "VAT"),
        ("A second person", "a second person"),
        ("", ""),
    ],
)
def test_only_the_first_letter_is_lowered_and_no_abbreviation(label: str, said: str) -> None:
    assert mid_sentence(label) == said
