"""Money in any order, 50,000 steps of other seeds than the tests take: nothing lost, nothing twice.

Environment: MONEY_STEPS (50000), MONEY_SEED (1000).
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure

ROOT = Path(__file__).resolve().parent.parent
TEST = "tests/payments/test_state_machine.py"


def run() -> list[Figure]:
    """Steps taken without a finding, and what one costs; a finding ends the benchmark with pytest's report."""
    steps = os.environ.get("MONEY_STEPS", "50000")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        told = Path(folder) / "told.json"
        env = {**os.environ, "MONEY_STEPS": steps, "MONEY_TOLD": str(told)}
        env.setdefault("MONEY_SEED", "1000")
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "pytest", TEST, "-q", "-n", "0", "-p", "no:cacheprovider"]
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=sys.stderr, check=False)
        spent, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        taken = int(json.loads(told.read_text())["steps"]) if told.exists() and done.returncode == 0 else 0
    processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return [
        Figure("money machine: steps without a finding", taken, "steps", at_least=float(steps)),
        Figure("money machine: processor time a step", 1000 * processor / max(taken, 1), "ms"),
        Figure("money machine: time a step", 1000 * spent / max(taken, 1), "ms"),
    ]
