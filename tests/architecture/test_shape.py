"""What holds for all of our sources and what no linter of the lot can say."""

import ast
import re
import tomllib

import pytest

from tests.architecture.sources import APPS, ROOT, all_files, modules_named, python_files

LONGEST_FILE_LINES = 420
LONGEST_TEST_LINES = 800
TEXT = {
    ".py",
    ".toml",
    ".txt",
    ".in",
    ".json",
    ".yml",
    ".yaml",
    ".md",
    ".html",
    ".css",
    ".js",
    ".sh",
    ".conf",
    ".cfg",
    "",
}
# With a tilde in each, so that this file does not hold what it looks for.
_HIDDEN = (
    r"/ro~ot/ /wo~rk/(?:main|shared) /ho~me/\w /Us~ers/\w file:~/// pypi\.o~rg pythonho~sted registry\.npm~js "
    r"--extra-ind~ex --index-u~rl --find-li~nks"
)
MACHINE = "|".join(_HIDDEN.replace("~", "").split())


def test_no_source_file_is_longer_than_a_reader_can_hold() -> None:
    too_long = {}
    for path in python_files():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > (LONGEST_TEST_LINES if path.name.startswith("test_") else LONGEST_FILE_LINES):
            too_long[str(path.relative_to(ROOT))] = lines
    assert too_long == {}


def test_no_file_names_a_machine_or_a_package_index() -> None:
    found = []
    for path in all_files():
        if path.suffix in TEXT:
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in re.finditer(MACHINE, text)]
    assert found == []


def test_public_functions_of_services_selectors_and_rules_say_what_they_do() -> None:
    silent = []
    for path, tree in modules_named("services", "selectors", "rules", "gateway"):
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not (
                node.name.startswith("_") or ast.get_docstring(node)
            ):
                silent.append(f"{path}: {node.name}")
    assert silent == []


def test_services_and_rules_never_read_the_clock() -> None:
    """Time is passed in from the edge, so that any day can be run again."""
    readers = []
    for path, tree in modules_named("services", "selectors", "rules", "models", "gateway", "triggers"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = ast.unparse(node.func)
                if called in {
                    "timezone.now",
                    "clock.now",
                    "datetime.now",
                    "date.today",
                    "time.time",
                    "datetime.today",
                }:
                    readers.append(f"{path}:{node.lineno} {called}")
    assert readers == []


def test_no_model_signals() -> None:
    """Business rules live in services; the only signals are the three documented seams and Django's migrate ones."""
    heard = []
    for path in python_files("common", *APPS, "ndors_portal"):
        if path == ROOT / "audit" / "history.py":  # unplugs the ones django-simple-history plugs in
            continue
        text = path.read_text(encoding="utf-8")
        heard += re.findall(r"import .*\b(?:(?:pre|post)_(?:save|delete|init)|m2m_changed)\b", text)
        heard += re.findall(r"signals\.(?:(?:pre|post)_(?:save|delete|init)|m2m_changed)\b", text)
    assert heard == []


def test_signals_are_the_documented_seams() -> None:
    seams = {path for path, _ in modules_named("signals")}
    assert seams <= {"courses/signals.py", "referrals/signals.py", "payments/signals.py"}


@pytest.mark.parametrize("name", ["rules"])
def test_every_rules_module_is_under_the_contract_of_purity(name: str) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (contract,) = [contract for contract in contracts if contract["id"] == name]
    have = {app for app in APPS if (ROOT / app / f"{name}.py").exists() or (ROOT / app / name).is_dir()}
    assert {module.partition(".")[0] for module in contract["source_modules"]} == have


def test_tests_never_sleep_nor_run_tasks_eagerly() -> None:
    lazy = []
    for path in python_files("tests"):
        if path.parent.name != "architecture":
            text = path.read_text(encoding="utf-8")
            lazy += [f"{path.relative_to(ROOT)}: {word}" for word in ("time.sleep(", "ALWAYS_EAGER") if word in text]
    assert lazy == []


def test_the_build_server_runs_make_test_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test"]
