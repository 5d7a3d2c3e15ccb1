"""A figure, what it is held against, and the bar it has to reach."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table. `at_least` or `at_most` is the bar of the value, or of the ratio where there is one."""

    name: str
    value: float
    unit: str
    reference: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float | None:
        """The value in parts of its reference."""
        return self.value / self.reference if self.reference else None

    @property
    def is_reached(self) -> bool:
        """Whether it is as good as it has to be."""
        measured = self.value if self.ratio is None else self.ratio
        high_enough = self.at_least is None or measured >= self.at_least
        return high_enough and (self.at_most is None or measured <= self.at_most)

    @property
    def bar(self) -> str:
        """The bar in words."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""
