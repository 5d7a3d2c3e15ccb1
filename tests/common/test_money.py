"""How money is written."""

import pytest

from common.money import pounds, pounds_and_pence


@pytest.mark.parametrize(
    ("pence", "short", "full"),
    [
        (9200, "£92", "£92.00"),
        (9250, "£92.50", "£92.50"),
        (5, "£0.05", "£0.05"),
        (0, "£0", "£0.00"),
        (-500, "-£5", "-£5.00"),
        (-505, "-£5.05", "-£5.05"),
        (123_456_700, "£1,234,567", "£1,234,567.00"),
    ],
)
def test_amounts_are_written_with_and_without_pence(pence: int, short: str, full: str) -> None:
    assert pounds(pence) == short
    assert pounds_and_pence(pence) == full
