"""Every attempt of the collection, under tests/attempts, is judged as it deserves, with the words that it deserves.

A line an attempt: exercise, kind (right, wrong, nothing or endless), label, code, call, and for a wrong one `said`:
a part of the verdict that names the mistake that was made.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RIGHT = {"right": True, "wrong": False, "endless": False, "nothing": None}


def deserved(attempt, verdict):
    """Whether a verdict is the one that an attempt deserves; dots that are left may be called so or be refused."""
    right = verdict.get("right", "none")
    left = right is None and attempt["kind"] == "wrong" and "..." in attempt["code"]
    return (right == RIGHT[attempt["kind"]] or left) and attempt.get("said", "") in verdict["message"]


@pytest.mark.parametrize(
    "chapter", [int(path.stem.removeprefix("chapter")) for path in sorted(HERE.glob("attempts/*"))]
)
def test_each_attempt_gets_its_verdict(chapter):
    path = HERE / "attempts" / f"chapter{chapter}.jsonl"
    attempts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    program = [sys.executable, str(HERE / "attempts.py"), str(chapter)]
    answer = subprocess.run(program, stdin=path.open(), capture_output=True, text=True, check=True).stdout
    verdicts = list(map(json.loads, answer.splitlines()))
    assert len(verdicts) == len(attempts)
    trouble = [
        f"{chapter}.{attempt['exercise']} {attempt['kind']}, {attempt['label']}: {verdict}"
        for attempt, verdict in zip(attempts, verdicts, strict=True)
        if not deserved(attempt, verdict)
    ]
    assert not trouble, "\n".join(trouble)
