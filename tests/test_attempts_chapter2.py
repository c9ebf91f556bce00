"""Every attempt at chapter 2's exercises is judged as it deserves, with the words that it deserves."""

from tests.attempts import misjudged


def test_each_attempt_gets_its_verdict():
    assert misjudged(2) == []
