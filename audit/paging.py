"""Pages over tables too large to be counted."""

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than `most` rows, so that no list page counts millions; who needs older rows searches."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        """How many rows there are, or `most` where there are more."""
        rows: Any = self.object_list
        return int(rows.order_by()[: self.most].count())
