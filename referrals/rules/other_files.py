"""The checks of one row of a withdrawals or a forecast file."""

from referrals.rules import messages
from referrals.rules.cells import Row, accepted, check_force, check_reference, in_order, rejected, screen, wrong
from referrals.rules.checked import Checked, ForecastValues, WithdrawalValues
from referrals.rules.columns import FORECAST, WITHDRAWALS
from referrals.rules.context import Context
from referrals.rules.problems import Problem, problem
from referrals.rules.values import read_datetime, read_month, read_number

WITHDRAWAL_REASONS = frozenset({"FIXED_PENALTY_PAID", "TIME_EXPIRED", "FAILED_TO_COMPLETE", "COURT", "OTHER"})


def check_withdrawal(row: Row, *, context: Context) -> Checked[WithdrawalValues]:
    """Check a withdrawals row. Whether we hold the reference is for who can look it up.

    `effective_at` may lie in the future: the force says from when, we act at once all the same.
    """
    cells, bad_characters = screen(in_order(row, WITHDRAWALS), WITHDRAWALS)
    force_code, reference, reason, effective_at = cells
    errors: list[Problem] = []
    force_code = check_force(force_code, context, errors)
    reference = check_reference(reference, errors)
    reason = reason.strip().upper()
    if reason not in WITHDRAWAL_REASONS:
        wrong(errors, "reason", "invalid_reason", messages.REASON, reason)
    effective = read_datetime(effective_at)
    if effective is None and effective_at and not effective_at.isspace():
        errors.append(problem("effective_at", "invalid_datetime", messages.EFFECTIVE_AT, effective_at))
    if errors or bad_characters:
        return rejected(errors, bad_characters, WITHDRAWALS)
    values = WithdrawalValues(force_code, reference, reason, effective[0] if effective else None)
    return accepted(values, force_code, context)


def check_forecast(row: Row, *, context: Context) -> Checked[ForecastValues]:
    """Check a forecast row: how many referrals of a course a force expects in a month."""
    cells, bad_characters = screen(in_order(row, FORECAST), FORECAST)
    force_code, month_text, course_code, expected_text = cells
    errors: list[Problem] = []
    force_code = check_force(force_code, context, errors)
    month = read_month(month_text)
    if month is None:
        wrong(errors, "month", "invalid_date", messages.MONTH, month_text)
    course_code = course_code.strip().upper()
    if course_code not in context.courses:
        errors.append(
            messages.unknown_course(course_code, context.courses) if course_code else messages.required("course_code")
        )
    expected = read_number(expected_text, 7)
    if expected is None:
        wrong(errors, "expected_referrals", "invalid_number", messages.FORECAST_NUMBER, expected_text)
    if errors or bad_characters or month is None or expected is None:
        return rejected(errors, bad_characters, FORECAST)
    return accepted(ForecastValues(force_code, month, course_code, expected), force_code, context)
