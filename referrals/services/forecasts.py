"""Forecasts: how many referrals a force expects. A later one takes the place of an earlier one, which is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from referrals.constants import RowState
from referrals.models import Batch, ForecastMonth
from referrals.rules import ForecastValues
from referrals.services.checking import Prepared
from referrals.services.lines import Settled, as_found
from referrals.services.scheme import Scheme


def settle_forecast(rows: Sequence[Prepared], *, batch: Batch, scheme: Scheme, now: datetime) -> list[Settled]:
    """Settle a slice of checked forecast rows and return what became of each, in order. Composed."""
    good = {row.number: cast(ForecastValues, row.values) for row in rows if row.state == RowState.NEW}
    months = {values.month for values in good.values()}
    in_force = {
        (each.month, each.course_type_id): each
        for each in ForecastMonth.objects.of_force(batch.force_id)
        .filter(month__in=months, superseded_at__isnull=True)
        .select_for_update(no_key=True)
    }
    settled: list[Settled] = []
    replaced: list[ForecastMonth] = []
    fresh: list[ForecastMonth] = []
    for row in rows:
        values = good.get(row.number)
        if values is None:
            settled.append(as_found(row))
            continue
        course = scheme.courses[values.course_code]
        held = in_force.get((values.month, course))
        if held and held.expected_referrals == values.expected_referrals:
            settled.append(Settled(row, RowState.UNCHANGED))
            continue
        if held:
            replaced.append(held)
            changes = {"expected_referrals": [str(held.expected_referrals), str(values.expected_referrals)]}
            settled.append(Settled(row, RowState.CHANGED, (), changes))
        else:
            settled.append(Settled(row, RowState.NEW))
        fresh.append(
            ForecastMonth(
                force_id=batch.force_id,
                month=values.month,
                course_type_id=course,
                expected_referrals=values.expected_referrals,
                batch=batch,
                received_at=batch.received_at,
            )
        )
    ForecastMonth.objects.filter(pk__in=[each.pk for each in replaced]).update(superseded_at=now)
    ForecastMonth.objects.bulk_create(fresh)
    return settled
