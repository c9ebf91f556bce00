"""The teacher's page and the glossary: what they promise stands in the chapters and works in the labs."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
import yaml

from helpers.labs import board
from helpers.teacher.assignment import bound_by, read_by
from tests import every_lab
from tests.lesson.script import script_of

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
PAGE = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
HUBS = (NOTEBOOKS / "hubs.md").read_text(encoding="utf-8")
CHAPTERS = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
LABS = {"learn": "learn_kernel"}  # whose board lines begin with another word
NAMES = "explorer|convolution|pooling|learn|shapes|trainer|microscope|versus|drawing|honest_split"
LINES = re.findall(rf"`((?:{NAMES})(?: \w+=[^ `]+)+)`", PAGE)


def prose(path):
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def glossary():
    """The glossary's rows: (term, Chinese, meaning, chapter)."""
    lines = (NOTEBOOKS / "glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return rows[2:]


@pytest.mark.parametrize("line", LINES)
def test_a_labs_board_line_is_accepted(line, sample):
    name = line.split()[0]
    lab = every_lab.made(LABS.get(name, name), sample)
    try:
        asked = board.read(line, name, lab.board.controls, lab.board.defaults)
        lab.board.text.value = line
        shown = lab.board.values()
        named = [pair.split("=")[0] for pair in line.split()[1:]]
        assert {setting: shown[setting] for setting in named} == {setting: asked[setting] for setting in named}
    finally:
        lab.close()


def test_every_lab_with_a_board_line_has_one_on_the_page():
    assert {line.split()[0] for line in LINES} == set(NAMES.split("|"))


def minutes_of(chapter):
    """{the number of a section, or the title of one called Deeper: its minutes}, as its chapter's headings say."""
    return {key_of(title): minutes for title, minutes, _ in script_of(chapter).sections() if minutes}


def key_of(title):
    """How the page names a section with this title: "3", "The class experiment" or "exercises"."""
    return title.split()[0] if title[0].isdigit() else title.removeprefix("Deeper: ").replace("Exercises", "exercises")


def rows_of(part):
    """The rows of the first table of a part of the page."""
    lines = [line for line in PAGE.split(f"\n## {part}")[1].split("\n## ")[0].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_plan_for_one_class_takes_ninety_minutes_and_gives_each_section_its_own():
    plan = rows_of("One class of 90 minutes")
    assert sum(int(minutes) for minutes, _, _ in plan) == 90
    for minutes, where, _ in plan:
        if where != "–":
            chapter, section = re.fullmatch(r"(\d), (?:section )?\*?(.+?)\*?", where).groups()
            assert minutes_of(int(chapter))[section] == int(minutes), where


@pytest.mark.parametrize("chapter", range(1, 6))
def test_the_plan_of_a_session_is_its_chapters_table_of_minutes(chapter):
    plan = rows_of(f"Chapter {chapter}: ")
    plan = plan[: [place for _, _, place, _ in plan].index("exercises") + 2]  # the rows below belong to another table
    lasts = [int(minutes) for _, minutes, _, _ in plan]
    assert [int(at) for at, _, _, _ in plan] == [sum(lasts[:i]) for i in range(len(plan))]
    assert sum(lasts) == 90
    told = minutes_of(chapter)
    sections = {section: last for (_, _, section, _), last in zip(plan, lasts, strict=True) if section != "–"}
    assert sections == {section: last for section, last in told.items() if section.isdigit() or section == "exercises"}


@pytest.mark.parametrize("chapter", range(1, 6))
def test_what_a_late_class_skips_is_needed_by_no_later_section(chapter):
    _, skipped, saved, in_class, homework = rows_of("Five sessions")[chapter - 1]
    skipped = set(re.findall(r"\d+", skipped.split("(")[0]))
    assert sum(minutes_of(chapter)[section] for section in skipped) == int(saved)
    missing, needs = set(), []
    for title, _, cells in script_of(chapter).sections():
        for cell in cells:
            if cell.cell_type == "code" and key_of(title) in skipped:
                missing |= bound_by(cell.source)
            elif cell.cell_type == "code" and not title.startswith("Deeper: "):
                needs += [(cell.id, name) for name in (read_by(cell.source) & missing) - bound_by(cell.source)]
                missing -= bound_by(cell.source)
    assert needs == []
    exercises = re.findall(rf"\b{chapter}\.\d", f"{in_class} {homework}")
    assert len(exercises) == len(set(exercises)) >= 4
    assert all(f"### Exercise {exercise}: " in prose(CHAPTERS[chapter - 1]) for exercise in exercises)


def test_the_settings_for_a_class_of_200_can_be_read_by_what_they_are_for():
    blocks = re.findall(r"^```(yaml|python)\n(.*?)^```$", HUBS, re.MULTILINE | re.DOTALL)
    chart, claim, with_folder = [yaml.safe_load(text) for kind, text in blocks if kind == "yaml"]
    (python,) = [text for kind, text in blocks if kind == "python"]
    assert chart["singleuser"]["memory"].keys() == chart["singleuser"]["cpu"].keys() == {"guarantee", "limit"}
    threads = chart["singleuser"]["extraEnv"]["OMP_NUM_THREADS"]
    snippet = {"c": SimpleNamespace(Spawner=SimpleNamespace())}
    exec(python, snippet)
    assert snippet["c"].Spawner.environment["OMP_NUM_THREADS"] == threads == str(chart["singleuser"]["cpu"]["limit"])
    # Both hubs find the images where the image's recipe and the commands put them: in the project's data/ folder.
    folder = re.search(r"--target-repo-dir (\S+)", HUBS)[1]
    assert snippet["c"].Spawner.environment["LENET_LAB_DATA"] == f"{folder}/data"
    # The class's folder is where the variable says, and both hubs name the same one.
    (volume,) = with_folder["singleuser"]["storage"]["extraVolumes"]
    (mount,) = with_folder["singleuser"]["storage"]["extraVolumeMounts"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert volume["name"] == mount["name"]
    assert with_folder["singleuser"]["extraEnv"]["LENET_LAB_CLASS"] == mount["mountPath"]
    assert f'`sudo mkdir -m 1777 {mount["mountPath"]}`, and `"LENET_LAB_CLASS": "{mount["mountPath"]}"`' in HUBS
    if sys.platform != "win32":
        for shell in re.findall(r"^```sh\n(.*?)^```$", HUBS, re.MULTILINE | re.DOTALL):
            subprocess.run(["bash", "-n", "-c", shell.replace("<<", "").replace(">>", "")], check=True)


def test_the_link_for_students_opens_a_chapter_that_the_student_copy_holds():
    query = parse_qs(urlsplit(re.search(r"^https://HUB/hub/user-redirect/git-pull\S+$", HUBS, re.MULTILINE)[0]).query)
    repository = query["repo"][0].rsplit("/", 1)[1]
    lab, path = query["urlpath"][0].split(f"/{repository}/")
    assert lab == "lab/tree"
    assert (NOTEBOOKS.parent / path).exists()
    assert query.keys() == {"repo", "branch", "urlpath"}


@pytest.mark.parametrize("page", ["README.md", "hubs.md", "glossary.md", "for-students.md"])
def test_every_link_of_a_page_leads_somewhere(page):
    text = (NOTEBOOKS / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not (NOTEBOOKS / link).exists()] == []


def test_the_glossary_is_sorted_and_has_each_term_once():
    terms = [name.casefold() for names, *_ in glossary() for name in names.split(", ")]
    assert len(terms) == len(set(terms)) > 80
    rows = [names.casefold() for names, *_ in glossary()]
    assert rows == sorted(rows)


def test_each_term_of_the_glossary_is_in_its_chapter_and_has_a_translation_and_one_sentence():
    texts = [prose(path) for path in CHAPTERS]
    for names, chinese, meaning, chapter in glossary():
        term = "|".join(re.escape(name) for name in names.split(", "))
        if chapter == "–":  # a term of the field that no chapter explains: explained ones are in bold or italics
            explained = [i for i, text in enumerate(texts, 1) if re.search(rf"\*({term})", text, re.IGNORECASE)]
            assert not explained, (
                f"{names}: chapter {explained[0]} explains it, so the glossary should say {explained[0]}"
            )
        else:
            assert re.search(rf"\b({term})", texts[int(chapter) - 1], re.IGNORECASE), f"{names}, {chapter}"
        assert re.search("[\u4e00-\u9fff]", chinese), term
        assert meaning.endswith("."), term
