"""The rules of what police send: pure functions over values, without Django and without a database."""

from referrals.rules.checked import AnyValues, Checked, ForecastValues, ReferralValues, WithdrawalValues
from referrals.rules.columns import (
    ERRORS_COLUMN,
    FORECAST,
    FORECAST_COLUMNS,
    KINDS,
    MAX_LENGTHS,
    REFERRAL_COLUMNS,
    REFERRALS,
    WITHDRAWAL_COLUMNS,
    WITHDRAWALS,
    FileKind,
)
from referrals.rules.context import Context
from referrals.rules.eligibility import (
    TIME_LIMIT_MONTHS,
    allowed_from,
    decide_by,
    default_book_by,
    default_complete_by,
    is_barred,
    is_time_barred,
    time_limit,
)
from referrals.rules.guide import GUIDE
from referrals.rules.in_file import SeenRows
from referrals.rules.other_files import check_forecast, check_withdrawal
from referrals.rules.plain import PlainReferrals
from referrals.rules.problems import ERROR_CODES, QUARANTINE_CODES, WARNING_CODES, Problem, problem
from referrals.rules.referral import check_referral

__all__ = [
    "ERRORS_COLUMN",
    "ERROR_CODES",
    "FORECAST",
    "FORECAST_COLUMNS",
    "GUIDE",
    "KINDS",
    "MAX_LENGTHS",
    "QUARANTINE_CODES",
    "REFERRALS",
    "REFERRAL_COLUMNS",
    "TIME_LIMIT_MONTHS",
    "WARNING_CODES",
    "WITHDRAWALS",
    "WITHDRAWAL_COLUMNS",
    "AnyValues",
    "Checked",
    "Context",
    "FileKind",
    "ForecastValues",
    "PlainReferrals",
    "Problem",
    "ReferralValues",
    "SeenRows",
    "WithdrawalValues",
    "allowed_from",
    "check_forecast",
    "check_referral",
    "check_withdrawal",
    "decide_by",
    "default_book_by",
    "default_complete_by",
    "is_barred",
    "is_time_barred",
    "problem",
    "time_limit",
]
