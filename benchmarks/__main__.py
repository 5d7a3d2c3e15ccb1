"""Run every benchmark and print one table: figure, reference, ratio."""

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.figures import Figure

_APART = {"__main__", "figures", "webhooks_bare"}


def main() -> int:
    """Run the benchmarks named, or all. Returns 1 where a bar is missed."""
    wanted = set(sys.argv[1:])
    figures: list[Figure] = []
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name not in _APART and not module.ispkg and (not wanted or module.name in wanted):
            print(f"{module.name} ...", file=sys.stderr, flush=True)
            figures += importlib.import_module(f"benchmarks.{module.name}").run()
    print(f"{'figure':58} {'value':>12} {'reference':>12} {'ratio':>7} {'bar':>8}")
    for each in figures:
        reference = "" if each.reference is None else f"{each.reference:,.0f}"
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        mark = "" if each.is_reached else "  missed"
        value = f"{each.value:,.0f} {each.unit}"
        print(f"{each.name:58} {value:>12} {reference:>12} {ratio:>7} {each.bar:>8}{mark}")
    return 0 if all(each.is_reached for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
