"""The words a template makes of values."""

import pytest

from common.templatetags import words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FIXED_PENALTY_PAID", "Fixed penalty paid"),
        ("DID_NOT_ATTEND", "Did not attend"),
        ("The driver rang; NHS letter seen", "The driver rang; NHS letter seen"),
        ("LATE", "Late"),
        ("NHS", "NHS"),
        ("", ""),
    ],
)
def test_a_code_becomes_words_and_nothing_else_does(text: str, said: str) -> None:
    assert words.code_words(text) == said
