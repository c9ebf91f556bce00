"""The numbers in the chapters' prose are those that `make claims` measured."""

import re
from pathlib import Path

import nbformat
import pytest

from tests.bench import claims

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
CHAPTERS = claims.chapters()
CLAIMS = [
    pytest.param(chapter, text, measure, holds, id=f"{chapter}: {text[:60]}")
    for chapter, module in CHAPTERS.items()
    for text, measure, holds in module.CLAIMS
]


def said_in(chapter):
    """The text of a chapter, prose and reasons, with single spaces; strings of Python that follow each other joined."""
    (path,) = NOTEBOOKS.glob(f"0{chapter}-*.ipynb")
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    return re.sub(r"\s+", " ", re.sub(r'"\s*\n\s*f?"', "", text))


@pytest.mark.parametrize(("chapter", "text", "measure", "holds"), CLAIMS)
def test_a_claim_stands_in_its_chapter(chapter, text, measure, holds):
    assert text in said_in(chapter)


@pytest.mark.parametrize(("chapter", "text", "measure", "holds"), CLAIMS)
def test_all_five_seeds_bear_a_claim_out(chapter, text, measure, holds):
    runs = claims.measured()[chapter][measure]
    assert len(runs) == len(claims.SEEDS)
    assert claims.broken([(text, measure, holds)], {measure: runs}) == []


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_is_kept_is_what_is_measured(chapter):
    assert set(claims.measured()[chapter]) == set(CHAPTERS[chapter].MEASURES)


def test_one_seed_is_enough_to_break_a_claim():
    claim = ("it is 1", "it", lambda run: run["it"] == 1)
    assert claims.broken([claim], {"it": [{"it": 1}] * 5}) == []
    assert claims.broken([claim], {"it": [{"it": 1}] * 4 + [{"it": 2}]}) == ["it is 1"]


def test_numbers_are_kept_beside_those_of_other_measures(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "MEASURED", tmp_path / "measured.json")
    claims.keep("5", "race", [{"lead": 0.1}, {"lead": 0.2}])
    claims.keep("4", "step", [{"loss": [1, 2]}])
    claims.keep("5", "race", [{"lead": 0.3}])
    assert claims.measured() == {"4": {"step": [{"loss": [1, 2]}]}, "5": {"race": [{"lead": 0.3}]}}
