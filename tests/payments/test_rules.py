import datetime as dt
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments import rules
from payments.constants import Account
from tests.factories.payments import PARTS

NOW = dt.datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=dt.UTC)
PENCE = st.integers(min_value=0, max_value=1_000_000)


def test_account_names_are_those_of_the_ledger() -> None:
    assert set(rules.AccountName.__args__) == set(Account.values)  # type: ignore[attr-defined]


def test_parts_of_takes_parts_that_add_up() -> None:
    parts = rules.parts_of(PARTS, amount_pence=9200)
    assert parts == rules.Parts(police=4500, levy=300, vat=0, provider=4400)
    assert parts.as_json() == PARTS


@pytest.mark.parametrize(
    ("parts", "amount"),
    [
        (PARTS, 9201),
        ({**PARTS, "tip": 0}, 9200),
        ({"police": 4500, "levy": 300, "provider": 4400}, 9200),
        ({**PARTS, "levy": -300, "provider": 5000}, 9200),
        ({**PARTS, "levy": 300.0}, 9200),
        ({**PARTS, "vat": False}, 9200),
    ],
)
def test_parts_of_refuses_parts_that_are_wrong(parts: dict[str, int], amount: int) -> None:
    with pytest.raises(ValueError, match="parts"):
        rules.parts_of(parts, amount_pence=amount)


def test_payment_to_refund_prefers_the_payment_that_settled() -> None:
    settling = rules.Paid(key=2, paid_pence=9200, refunded_pence=1000, is_extra=False)
    extra = rules.Paid(key=1, paid_pence=9200, refunded_pence=0, is_extra=True)
    assert rules.payment_to_refund([extra, settling], amount_pence=8200) == settling
    assert rules.payment_to_refund([extra, settling], amount_pence=8201) == extra
    assert rules.payment_to_refund([extra, settling], amount_pence=9201) is None
    assert rules.payment_to_refund([settling], amount_pence=0) is None
    assert rules.payment_to_refund([settling], amount_pence=-1) is None


def _balance(lines: tuple[rules.Line, ...]) -> int:
    return sum(line.amount_pence for line in lines)


def test_completed_lines_split_the_fee() -> None:
    parts = rules.Parts(police=4500, levy=300, vat=200, provider=4200)
    assert rules.completed_lines(parts=parts, refunded_pence=0, force_code="42") == (
        rules.Line("FEES_IN_ADVANCE", 9200),
        rules.Line("POLICE_PAYABLE", -4500, "42"),
        rules.Line("LEVY_PAYABLE", -300),
        rules.Line("VAT_PAYABLE", -200),
        rules.Line("COURSE_INCOME", -4200),
    )


def test_completed_lines_when_all_was_refunded_are_borne_by_kcc() -> None:
    parts = rules.Parts(police=4500, levy=300, vat=0, provider=4400)
    assert rules.completed_lines(parts=parts, refunded_pence=9200, force_code="46") == (
        rules.Line("POLICE_PAYABLE", -4500, "46"),
        rules.Line("LEVY_PAYABLE", -300),
        rules.Line("COURSE_INCOME", -4400),
        rules.Line("REFUNDS", 9200),
    )


@given(PENCE, PENCE, PENCE, PENCE, st.data())
def test_completed_lines_always_balance(police: int, levy: int, vat: int, provider: int, data: st.DataObject) -> None:
    parts = rules.Parts(police, levy, vat, provider)
    refunded = data.draw(st.integers(min_value=0, max_value=parts.total))
    lines = rules.completed_lines(parts=parts, refunded_pence=refunded, force_code="46")
    assert _balance(lines) == 0
    assert _balance(rules.reversed_lines(lines)) == 0
    assert all(line.amount_pence for line in lines)


@pytest.mark.parametrize(
    ("purpose", "is_earned", "is_extra", "account"),
    [
        ("COURSE_FEE", False, False, "FEES_IN_ADVANCE"),
        ("COURSE_FEE", True, False, "REFUNDS"),
        ("COURSE_FEE", True, True, "FEES_IN_ADVANCE"),
        ("MOVE_FEE", False, False, "REFUNDS"),
        ("REBOOK_FEE", True, False, "REFUNDS"),
    ],
)
def test_refunded_lines_take_the_money_from_where_it_lies(
    purpose: str, is_earned: bool, is_extra: bool, account: rules.AccountName
) -> None:
    lines = rules.refunded_lines(
        amount_pence=500,
        purpose=purpose,
        parts=rules.Parts(police=4500, levy=300, vat=0, provider=4400),
        is_earned=is_earned,
        is_extra=is_extra,
    )
    assert lines == (rules.Line(account, 500), rules.Line("STRIPE_CLEARING", -500))


VAT = rules.Parts(police=0, levy=0, vat=500, provider=2500)


def test_a_move_fee_with_vat_owes_it_at_once_and_less_once_refunded() -> None:
    paid = rules.paid_lines(amount_pence=3000, purpose="MOVE_FEE", parts=VAT)
    assert paid == (
        rules.Line("STRIPE_CLEARING", 3000),
        rules.Line("MOVE_INCOME", -2500),
        rules.Line("VAT_PAYABLE", -500),
    )
    back = partial(rules.refunded_lines, purpose="MOVE_FEE", parts=VAT, is_earned=False, is_extra=False)
    assert back(amount_pence=3000) == (
        rules.Line("REFUNDS", 2500),
        rules.Line("VAT_PAYABLE", 500),
        rules.Line("STRIPE_CLEARING", -3000),
    )
    assert back(amount_pence=1001, out_of="BANK") == (
        rules.Line("REFUNDS", 835),
        rules.Line("VAT_PAYABLE", 166),
        rules.Line("BANK", -1001),
    )


@given(st.lists(st.integers(1, 9200), min_size=1, max_size=6), st.integers(0, 9200))
def test_refunds_in_parts_give_back_the_vat_of_their_sum(split: list[int], vat: int) -> None:
    parts = rules.Parts(police=0, levy=0, vat=vat, provider=9200 - vat)
    gone = given_back = 0
    for asked in split:
        pence = min(asked, 9200 - gone)
        lines = rules.refunded_lines(
            amount_pence=pence, purpose="MOVE_FEE", parts=parts, is_earned=True, is_extra=False,
            before=(gone, given_back),
        )  # fmt: skip
        assert sum(line.amount_pence for line in lines) == 0
        gone += pence
        given_back += sum(line.amount_pence for line in lines if line.account == "VAT_PAYABLE")
        assert given_back == rules.vat_share(parts, gone)


def test_completed_lines_owe_vat_on_what_was_kept() -> None:
    parts = rules.Parts(police=4500, levy=300, vat=880, provider=3520)
    assert rules.completed_lines(parts=parts, refunded_pence=4600, force_code="46") == (
        rules.Line("FEES_IN_ADVANCE", 4600),
        rules.Line("POLICE_PAYABLE", -4500, "46"),
        rules.Line("LEVY_PAYABLE", -300),
        rules.Line("VAT_PAYABLE", -440),
        rules.Line("COURSE_INCOME", -3520),
        rules.Line("REFUNDS", 4160),
    )


def test_forfeited_lines_earn_all_but_the_vat_and_owe_nothing_to_others() -> None:
    parts = rules.Parts(police=4500, levy=300, vat=880, provider=3520)
    assert rules.forfeited_lines(parts=parts, refunded_pence=0) == (
        rules.Line("FEES_IN_ADVANCE", 9200),
        rules.Line("VAT_PAYABLE", -880),
        rules.Line("COURSE_INCOME", -8320),
    )
    assert rules.forfeited_lines(parts=parts, refunded_pence=4600) == (
        rules.Line("FEES_IN_ADVANCE", 4600),
        rules.Line("VAT_PAYABLE", -440),
        rules.Line("COURSE_INCOME", -8320),
        rules.Line("REFUNDS", 4160),
    )


@given(PENCE, PENCE, PENCE, PENCE, st.data())
def test_forfeited_lines_always_balance(police: int, levy: int, vat: int, provider: int, data: st.DataObject) -> None:
    parts = rules.Parts(police, levy, vat, provider)
    refunded = data.draw(st.integers(min_value=0, max_value=parts.total))
    lines = rules.forfeited_lines(parts=parts, refunded_pence=refunded)
    assert _balance(lines) == 0
    assert {line.account for line in lines}.isdisjoint({"POLICE_PAYABLE", "LEVY_PAYABLE"})


@pytest.mark.parametrize(
    ("amount", "before", "policy", "needs"),
    [
        (15000, 0, 15000, False),
        (15001, 0, 15001, True),
        (9200, 0, 9199, True),
        (9200, 5800, 9200, False),
        (9200, 5801, 9200, True),
    ],
)
def test_needs_second_person_above_the_limit_or_outside_the_policy(
    amount: int, before: int, policy: int, needs: bool
) -> None:
    asked = rules.needs_second_person(
        amount_pence=amount, asked_before_pence=before, limit_pence=15000, policy_pence=policy
    )
    assert asked is needs


@pytest.mark.parametrize(
    ("wanted_minutes", "given_minutes"), [(0, 31), (30, 31), (31, 31), (45, 45), (24 * 60, 24 * 60 - 1)]
)
def test_checkout_expiry_stays_within_what_stripe_allows(wanted_minutes: int, given_minutes: int) -> None:
    wanted = NOW + dt.timedelta(minutes=wanted_minutes)
    expected = (NOW + dt.timedelta(minutes=given_minutes)).replace(microsecond=0)
    assert rules.checkout_expiry(wanted=wanted, now=NOW) == expected


def test_is_checkout_useful_until_two_minutes_before_its_end() -> None:
    assert rules.is_checkout_useful(expires_at=NOW + dt.timedelta(seconds=121), now=NOW)
    assert not rules.is_checkout_useful(expires_at=NOW + dt.timedelta(seconds=120), now=NOW)


@pytest.mark.parametrize(
    ("reference", "suffix"),
    [("KCC-CDFG-HJKM", "CDFG-HJKM"), ("KCC-3467-9C34", "3467-9C34"), ("KCC-3467-9346", "R34679346")],
)
def test_descriptor_suffix_has_a_letter_and_leaves_room_for_the_prefix(reference: str, suffix: str) -> None:
    assert rules.descriptor_suffix(reference) == suffix
    assert len(suffix) <= 10


def test_next_key_keeps_its_stem() -> None:
    assert rules.next_key("abc") == "abc.2"
    assert rules.next_key("abc.9") == "abc.10"
    assert [rules.key_stem(key) for key in ("abc", "abc.10")] == ["abc", "abc"]


def test_pause_before_retry_doubles_up_to_half_an_hour() -> None:
    pauses = [int(rules.pause_before_retry(tries).total_seconds()) for tries in range(1, 10)]
    assert pauses == [20, 40, 80, 160, 320, 640, 1280, 1800, 1800]


@pytest.mark.parametrize(
    ("event_type", "is_ours"),
    [
        ("checkout.session.completed", True),
        ("checkout.session.async_payment_failed", True),
        ("payment_intent.succeeded", True),
        ("charge.refunded", True),
        ("refund.failed", True),
        ("payment_intent.created", False),
        ("charge.succeeded", False),
        ("customer.created", False),
        ("xcheckout.session.completed", False),
    ],
)
def test_is_acted_on(event_type: str, is_ours: bool) -> None:
    assert rules.is_acted_on(event_type) is is_ours


def test_without_payer_keeps_nothing_that_tells_of_the_payer() -> None:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "created": 1,
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "request": {"id": "req_1"},
        "data": {
            "object": {
                "id": "cs_1",
                "object": "checkout.session",
                "amount_total": 9200,
                "customer_email": "payer@example.com",
                "customer_details": {"email": "payer@example.com", "name": "Payer"},
                "metadata": {"booking": "KCC-CDFG-HJKM"},
                "payment_intent": "pi_1",
                "url": "https://checkout.stripe.com/c/pay/cs_1",
            },
            "previous_attributes": {"customer_email": "other@example.com"},
        },
    }
    assert rules.without_payer(event) == {
        "id": "evt_1",
        "type": "checkout.session.completed",
        "created": 1,
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {
            "object": {
                "id": "cs_1",
                "object": "checkout.session",
                "amount_total": 9200,
                "metadata": {"booking": "KCC-CDFG-HJKM"},
                "payment_intent": "pi_1",
            }
        },
    }
