"""A pytest plug-in: a cell tagged `raises-exception` must raise what its first line names.

nbval alone accepts such a cell when it raises anything, or nothing at all. The first line reads, for example,
`# raises RuntimeError: shapes cannot be multiplied`: the class, and a part of the message.
"""

import re

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    result = yield
    cell = getattr(item, "cell", None)
    if cell is not None and "raises-exception" in cell.metadata.get("tags", []):
        check_raising_cell(cell.source, item.test_outputs)
    return result


def check_raising_cell(source, outputs):
    """Fail unless `outputs`, of a cell that was run, hold the error that the first line of `source` names."""
    named = re.match(r"# raises (\w+)(?:: (.+))?", source)
    if not named:
        pytest.fail("the cell is tagged raises-exception, but its first line is no `# raises ErrorClass: message`")
    raised = [f"{output.ename}: {output.evalue}" for output in outputs if output.output_type == "error"]
    if not any(error.startswith(f"{named[1]}:") and (named[2] or "") in error for error in raised):
        pytest.fail(f"the cell should raise {named[0].removeprefix('# raises ')!r}, but raised {raised or 'nothing'}")
