"""Every state that the controls of a lab can reach draws or explains itself, and its board line leads back to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.labs import board
from helpers.labs.expected import Expected
from helpers.labs.past import LookedAt
from helpers.labs.settings import Matrix
from tests import every_lab
from tests.support import explains

RETRAINED = ["trainer"]  # its picture goes on changing by itself


@pytest.fixture(scope="module", params=every_lab.LABS)
def lab(request, sample):
    """One lab for all its examples: its states follow one another, as they do under a hand."""
    made = every_lab.made(request.param, sample)
    yield made
    made.close()


def values(control):
    """All that a control can be set to."""
    if isinstance(control, Matrix):
        numbers = st.integers(-200, 200).map(lambda tenths: tenths / 10)
        return st.integers(1, Matrix.LARGEST).flatmap(lambda n: st.tuples(*[st.tuples(*[numbers] * n)] * n))
    if isinstance(control, Expected):
        accuracies = st.lists(st.integers(0, 100).map(lambda percent: percent / 100), max_size=3)
        return accuracies.map(tuple)
    if isinstance(control, LookedAt):
        return st.none() | st.integers(0, 10**6)
    if hasattr(control, "options"):
        return st.sampled_from([value for _, value in control.options])
    if isinstance(control.value, bool):
        return st.booleans()
    return st.sampled_from(range(control.lowest, control.highest + 1, control.step))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(data=st.data())
def test_every_state_draws_or_explains_itself_and_its_line_leads_back(lab, data):
    state = {key: data.draw(values(control), label=key) for key, control in lab.board.controls.items()}
    before = every_lab.shown(lab)
    lab.board.move(state)
    shown, explained = lab.board.values(), explains(lab)
    after = every_lab.shown(lab)
    assert after
    assert not explained or lab.board.lab in RETRAINED or after == before  # the last good picture stays
    line = lab.board.line()
    assert board.read(line, lab.board.lab, lab.board.controls, lab.board.defaults) == shown
    lab.board.text.value = lab.board.lab  # back to where it began ...
    lab.board.text.value = line  # ... and here again, by the line alone
    assert lab.board.values() == shown


def places(control):
    """Where a hand puts a control: each option of a list, both ends of a slider; a matrix has no such places."""
    if hasattr(control, "options"):
        return [value for _, value in control.options]
    if isinstance(control.value, bool):
        return [True, False]
    return [control.min, control.max] if hasattr(control, "max") else []


def test_red_words_say_what_is_wrong_at_every_option_and_at_both_ends_of_every_slider(lab):
    lab.board.text.value = lab.board.lab
    for control in lab.board.controls.values():
        start = control.value
        for value in places(control):
            control.value = value
            explains(lab)
        control.value = start
