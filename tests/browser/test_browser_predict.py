"""A guess in JupyterLab: Run All leaves it open, a click notes it, and the answer opens where it waited."""

import pytest

from tests.browser import jupyterlab


def test_the_answer_stays_closed_until_a_click_on_an_option_opens_it(address, browser):
    page = jupyterlab.open_notebook(browser, address, "guess.ipynb")
    jupyterlab.run_all(page)
    page.get_by_role("button", name="Show me").wait_for()
    assert "28 − 5 + 1" not in page.locator(".jp-Notebook").inner_text()
    page.get_by_role("radio", name="28").click()
    page.get_by_text("28 − 5 + 1", exact=False).wait_for()
    assert page.get_by_text("Your guess is noted: 28").is_visible()
    assert page.get_by_role("radio", name="24").is_disabled()
    assert jupyterlab.run_python(page, "print(guess.chosen)") == "28\n"
    assert jupyterlab.problems(page) == []
    jupyterlab.end(page)  # a kernel keeps the guess


def test_the_next_day_the_question_stands_as_text_until_its_cell_is_run(address, browser):
    page = jupyterlab.open_notebook(browser, address, "guess.ipynb")
    jupyterlab.run_all(page)
    page.get_by_role("button", name="Show me").wait_for()
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.reload()
    jupyterlab.wait_for_notebook(page)
    page.get_by_text("Run this cell again to guess", exact=False).wait_for()
    page.get_by_text("Run the question's cell and this one again", exact=False).wait_for()
    shown = page.locator(".jp-Notebook").inner_text()
    assert "How wide?" in shown
    assert not any(words in shown for words in ("model not found", "Loading", "28 − 5 + 1"))
    jupyterlab.run_python(page, "pass")  # a kernel that is ended while it starts keeps its server from ending
    jupyterlab.end(page)


@pytest.mark.parametrize(("role", "name", "cell"), [("radio", "28", 0), ("button", "Show me", 1)])
def test_shift_enter_works_after_a_click_that_opens_an_answer_which_has_waited(address, browser, role, name, cell):
    page = jupyterlab.open_notebook(browser, address, "guess.ipynb")
    jupyterlab.run_all(page)
    page.get_by_role(role, name=name).click()
    page.get_by_text("Answer:", exact=False).wait_for()
    page.wait_for_function("() => document.activeElement !== document.body", timeout=10_000)
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(
        f"() => window.jupyterapp.shell.currentWidget.content.widgets[{cell}].model.executionCount > 2", timeout=10_000
    )
    assert jupyterlab.problems(page) == []
    jupyterlab.end(page)
