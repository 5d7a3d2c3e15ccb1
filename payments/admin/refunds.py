"""Refunds, as finance reads them."""

from django.contrib import admin

from audit.admin import HistoryAdmin
from payments.admin.common import ReadOnly, money
from payments.models import Refund


@admin.register(Refund)
class RefundAdmin(ReadOnly, HistoryAdmin):
    list_display = ("requested_at", "booking", "amount", "cause", "status", "requested_by", "error")
    list_filter = ("status", "cause")
    list_select_related = ("charge",)
    search_fields = ("=charge__booking_reference", "=stripe_refund_id")
    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50
    amount = money("amount_pence", "Amount")

    @admin.display(ordering="charge__booking_reference")
    def booking(self, refund: Refund) -> str:
        return refund.charge.booking_reference
