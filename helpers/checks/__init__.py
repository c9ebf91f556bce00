"""Checks of the exercises: each runs a student's answer and says ✅, or which mistake was made and what to try."""

from helpers.checks.verdict import NOT_YET, Verdict

__all__ = ["NOT_YET", "Verdict"]
