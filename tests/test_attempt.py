"""How any answer is run: what stops it becomes words, what it disturbs is put back, and what does not end is ended."""

import gzip
import itertools
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from torch import nn

from helpers.checks import answers
from helpers.checks.attempt import Attempt, Endless, Stopped, time_limit
from helpers.checks.exercise import Exercise, Mistake, checked
from helpers.checks.networks import scores
from helpers.checks.verdict import NOT_YET, Verdict, right, wrong

check_double = Exercise(
    task="0.0; double(x): twice x.",
    solution=lambda x: 2 * x,
    probes=lambda: [(2,), (5,), (-3,)],
    praise="Right: twice as much.",
    read=answers.whole,
    mistakes=[Mistake("You squared it.", lambda x: x * x)],
)


@checked
def check_net(net):
    """A check of a network."""
    return right("seen") if scores(net, torch.ones(2, 3), 2) is not None else wrong("never")


def test_an_exercise_names_its_mistake_with_the_probe_that_shows_it():
    assert check_double(lambda x: 2 * x) == Verdict(True, "Right: twice as much.")
    assert check_double(lambda x: x * x).message == "You squared it. For x = 5 you get 25, expected 10."
    assert check_double(lambda x: x).message == "For x = 2 you get 2, expected 4."
    assert check_double(...) == check_double(lambda x: ...) == NOT_YET


def test_an_exception_becomes_words_with_the_students_line():
    def double(x):
        y = x
        return y + "2"

    verdict = check_double(double)
    assert verdict.right is False
    assert verdict.message.startswith('Your code stops in line 3 of double, `return y + "2"`, with TypeError: unsupp')


def test_the_line_is_the_students_where_a_library_stops():
    def double(x):
        return gzip.decompress(x)

    assert "in line 2 of double, `return gzip.decompress(x)`" in check_double(double).message


def test_the_line_is_that_of_the_function_which_the_students_function_calls():
    def half(x):
        return x / 0

    verdict = check_double(lambda x: 4 * half(x))
    assert "in line 2 of half, `return x / 0`, with ZeroDivisionError: division by zero" in verdict.message


def test_the_line_is_not_called_that_of_a_comprehension():
    def double(x):
        numbers = [1, 0]
        return sum(x / number for number in numbers)

    assert "in line 3 of double, `return sum(x / number for number in numbers)`" in check_double(double).message


def test_an_exception_without_words_and_a_long_one():
    def silent(x):
        raise NotImplementedError

    def long(x):
        raise ValueError("first line\nsecond line")

    def announced(x):
        raise ValueError("Error(s) in loading:\n\tsize mismatch")

    assert "with NotImplementedError" in check_double(silent).message
    assert "with ValueError: first line" in check_double(long).message
    assert "with ValueError: size mismatch" in check_double(announced).message


def test_an_answer_without_source_is_named_without_a_line_of_it():
    scope = {"__name__": "__main__"}
    exec("def double(x):\n    return x.nothing", scope)
    assert "in line 2 of double, with AttributeError" in check_double(scope["double"]).message


@pytest.mark.parametrize("answer", [4, None, "double", [1], torch.ones(2), nn.Linear(1, 1), int, lambda: 4, max])
def test_what_cannot_be_called_gets_words(answer):
    verdict = check_double(answer)
    assert verdict.right is False and verdict.message[0].isupper() | (verdict.message[0] == "`")


def test_prints_for_return_and_nothing_at_all():
    assert "prints its answer, but returns nothing" in check_double(lambda x: print(2 * x)).message
    assert "returns nothing (None)" in check_double(lambda x: None).message


def test_a_network_that_stops_gets_words():
    assert check_net(nn.Linear(3, 2))
    verdict = check_net(nn.Linear(4, 2))
    assert (verdict.right is False and "4 numbers" in verdict.message) or "mat1 and mat2" in verdict.message


def test_a_network_of_the_students_own_class_gets_its_line():
    class Net(nn.Module):
        def forward(self, X):
            return X @ torch.ones(5)

    assert "in line 2 of forward, `return X @ torch.ones(5)`, with RuntimeError" in check_net(Net()).message


def test_a_checks_own_mistake_stays_an_exception():
    @checked
    def check(answer):
        return {}["missing"]

    with pytest.raises(KeyError, match="missing"):
        check(1)


def test_stop_stays_stop():
    def double(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_double(double)


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, StopIteration, RecursionError, MemoryError])
def test_whatever_an_answer_raises_becomes_words(error):
    def double(x):
        raise error

    assert check_double(double).right is False


def test_what_an_answer_sets_is_put_back():
    def double(x):
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(1)
        torch.manual_seed(1), random.seed(1), np.random.seed(1)  # noqa: NPY002
        return 2 * x

    before = torch.get_rng_state(), random.getstate(), torch.get_num_threads()
    assert "leaves gradients switched off" in check_double(double).message
    assert torch.is_grad_enabled() and torch.get_default_dtype() is torch.float32
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), torch.get_num_threads()) == before[1:]


def endless(x):
    while True:
        pass


def catching(x):
    while True:
        try:
            x += 1
        except Exception:
            x = 0


def swallowing(x):
    """Catches what ends it, at each level of a recursion."""
    while True:
        try:
            swallowing(x)
        except:  # noqa: E722
            pass


def collecting(x):
    return [0 for _ in iter(int, 1)]


def sleeping(x):
    time.sleep(60)


@pytest.mark.parametrize("function", [endless, catching, swallowing, collecting, sleeping])
def test_what_does_not_end_is_ended(function):
    with pytest.raises(Endless, match="did not come to an end"):
        Attempt(function, seconds=0.2)(2)


@pytest.mark.parametrize("function", [endless, catching, swallowing])
def test_it_is_ended_in_another_thread_too(function):
    """There no signal arrives; so it is on Windows."""
    said = []

    def run():
        try:
            Attempt(function, seconds=0.2)(2)
        except Stopped as stopped:
            said.append(str(stopped))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "did not come to an end" in said[0]


def test_a_generator_without_an_end_is_not_collected():
    with pytest.raises(Endless, match="yields 2,000 values and more"):
        Attempt(lambda x: itertools.count())(2)


def test_an_answer_that_fills_the_memory_is_ended():
    def filling(x):
        kept = []
        while True:
            kept.append(torch.zeros(2**20))

    with pytest.raises(Endless):
        Attempt(filling, seconds=20)(2)


def test_a_timer_that_someone_else_has_set_goes_on():
    rung = []
    handler = signal.signal(signal.SIGALRM, lambda *given: rung.append(True))
    left = signal.setitimer(signal.ITIMER_REAL, 0.3)[0]
    try:
        with time_limit(5):
            pass
        time.sleep(0.5)
        assert rung
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, left)


@pytest.mark.parametrize(
    ("value", "read"),
    [(np.int64(4), 4), (np.float32(4), 4), (torch.tensor(4), 4), (torch.tensor([4.0]), 4), (np.array(4), 4), (4.0, 4)],
)
def test_whole_numbers_are_read_generously(value, read):
    assert answers.whole(value) == read


NO_WHOLE_NUMBERS = [True, None, "4", 4.5, float("nan"), float("inf"), [4], torch.ones(2), 4j, int]


@pytest.mark.parametrize("value", NO_WHOLE_NUMBERS, ids=repr)
def test_what_is_no_whole_number_gets_words(value):
    with pytest.raises(answers.Unreadable):
        answers.whole(value)


def test_a_huge_number_is_shown_in_short():
    assert answers.shown(answers.whole(10**400)) == "a number of 401 digits"


def test_an_answer_that_does_not_depend_on_its_arguments_is_told_so():
    assert check_double(lambda x: 7).message == (
        "Your function gives the same whatever its arguments are: does it use them, or names from outside? "
        "For x = 2 you get 7, expected 4."
    )
    assert "whatever" not in check_double(lambda x: x + 7).message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.ones(2), "an ndarray"),
        (nn.Linear(1, 1).state_dict(), "an OrderedDict with 2 values"),
        (torch.ones(2, 2).max(dim=0), "the values and the indices that `max` gives: take .values"),
    ],
)
def test_a_kind_is_named_in_english(value, words):
    assert answers.kind(value) == words


def test_a_number_longer_than_python_prints_is_shown_by_its_length():
    assert answers.shown(10**5000) == "a number of 5,001 digits"


def test_what_pytorch_loads_late_is_loaded_to_train_a_network_alone_and_before_the_students_seconds_begin():
    program = (
        "import sys\nfrom torch import nn\nfrom helpers.checks.attempt import Attempt\n"
        "for given, may_change in ((1, ['net']), (nn.Linear(1, 1), []), (nn.Linear(1, 1), ['net'])):\n"
        "    print(Attempt(lambda net: 'torch._dynamo' in sys.modules, ['net'], may_change)(given))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.split()
    assert said == ["False", "False", "True"]
