"""Waiting for what a thread does."""

import time


def wait_for(condition):
    """Wait until `condition()` holds; fail after a minute, which only a hang can take."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")
