"""A guess in JupyterLab: a click chooses, the answer stands beside it, and then nobody changes the guess."""

from tests.browser import jupyterlab


def test_a_guess_is_chosen_by_a_click_and_shown_beside_the_answer(address, browser):
    page = jupyterlab.open_notebook(browser, address, "guess.ipynb")
    jupyterlab.run_all(page)
    page.get_by_role("button", name="28").click()
    page.wait_for_function("() => document.querySelector('.widget-toggle-button.mod-active')")
    assert jupyterlab.run_python(page, "print(guess.chosen); guess.answer('24')") == "28\n"
    page.wait_for_function("() => document.querySelector('.widget-toggle-button').disabled")
    assert jupyterlab.problems(page) == []
    page.close()
