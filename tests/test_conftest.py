"""What tests/conftest.py does around all tests: which begin first, and what is said at the end of the fault tests."""

from pathlib import Path
from types import SimpleNamespace

from tests.conftest import LONGEST, pytest_collection_modifyitems, pytest_terminal_summary

ROOT = Path(__file__).resolve().parents[1]


def summary(**stats):
    """The lines that are printed for {outcome: ids of tests}."""
    lines = []
    reports = {outcome: [SimpleNamespace(nodeid=test) for test in tests] for outcome, tests in stats.items()}
    pytest_terminal_summary(SimpleNamespace(stats=reports, line=lines.append))
    return lines


def test_fault_tests_are_counted_by_outcome_and_those_that_ran_by_file():
    data, calls = "tests/faults/test_data_faults.py::", "tests/faults/test_no_network_calls.py::"
    other = "tests/test_data.py::test_faults"
    assert summary(
        passed=[f"{data}test_a[empty]", f"{data}test_a[x/y]", f"{calls}test_c", other],
        failed=[f"{data}test_b", other],
        skipped=[f"{data}test_d", f"{calls}test_e"],
    ) == ["fault tests: 3 passed, 1 failed, 2 skipped (data 3, no network calls 1)"]


def test_without_fault_tests_nothing_is_said():
    assert summary(passed=["tests/test_data.py::test_faults"]) == summary() == []


def test_the_longest_files_begin_first_and_keep_their_inner_order():
    assert [file for file in LONGEST if not (ROOT / file).exists()] == []
    ids = ["tests/test_data.py::b", f"{LONGEST[1]}::b", "tests/test_data.py::a", f"{LONGEST[1]}::a", f"{LONGEST[0]}::c"]
    items = [SimpleNamespace(nodeid=test) for test in ids]
    pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [ids[4], ids[1], ids[3], ids[0], ids[2]]
