"""What pytest says at its end of the tests that inject faults."""

from types import SimpleNamespace

from tests.conftest import pytest_terminal_summary


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
