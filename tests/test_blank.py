"""`checks.yours`: a blank in a chapter that is checked at once, and never holds the class up."""

import pytest
import torch
from torch.nn import functional as F

from helpers import checks
from helpers.checks.blank import BLANKS

X, K = torch.tensor([[3.0, 1, 0], [2, 5, 1], [0, 4, 2]]), torch.tensor([[1.0, 2], [-1, 3]])


@pytest.fixture
def said(monkeypatch):
    """What was displayed, as a list of HTML texts."""
    texts = []
    monkeypatch.setattr("helpers.checks.blank.display", lambda made: texts.append(made.data))
    return texts


def test_a_right_function_is_the_students_own(said):
    def corr2d(X, K):
        return F.conv2d(X[None, None], K[None, None])[0, 0]

    assert checks.yours(corr2d) is corr2d
    assert "✅" in said[0]
    assert "From here on, corr2d is yours" in said[0]


def test_an_empty_blank_gets_the_courses_version_which_is_marked(said):
    def corr2d(X, K):
        Y = torch.zeros(X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1)
        for i in range(Y.shape[0]):
            for j in range(Y.shape[1]):
                Y[i, j] = ...
        return Y

    given = checks.yours(corr2d)
    assert given.stands_in
    assert torch.equal(given(X, K), F.conv2d(X[None, None], K[None, None])[0, 0])
    assert "✏️ Not written yet" in said[0]
    assert "goes on with its own corr2d" in said[0]


def test_a_half_right_function_is_named_and_not_silently_replaced(said):
    def corr2d(X, K):
        rows, columns = X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1
        windows = [[X[i : i + 2, j : j + 2].sum() for j in range(columns)] for i in range(rows)]
        return torch.tensor(windows)

    assert checks.yours(corr2d).stands_in
    assert "❌" in said[0]
    assert "goes on with its own corr2d" in said[0]


def test_run_again_it_judges_the_students_code_and_not_what_stood_in(said):
    def corr2d(X, K):
        return X

    once = checks.yours(corr2d)
    checks.yours(corr2d)
    assert once is not corr2d
    assert said[0] == said[1]
    assert "❌" in said[1]


def test_a_function_of_another_name_stays_as_it_is(said):
    def corr3d(X, K):
        return X

    assert checks.yours(corr3d) is corr3d
    assert "corr3d: keep the name" in said[0]


@pytest.mark.parametrize("name", BLANKS)
def test_the_courses_own_version_of_each_blank_is_right(name, said):
    assert BLANKS[name](BLANKS[name].solution)
