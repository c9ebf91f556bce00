"""The labs that explore, in JupyterLab as it is installed: shapes, data and results under a hand."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from matplotlib.cbook import get_sample_data
from playwright.sync_api import expect

from tests import every_lab
from tests.browser import jupyterlab
from tests.browser.hands import EDGE, Lab, check_explorer_under_the_pointer, known

LINES = """result lr=0.01 channels=6 kernel=5 parameters=61706 accuracy=0.61
result lr=0.1 channels=6 kernel=5 parameters=61706 accuracy=0.84
result lr=0.1 channels=6 kernel=5 parameters=61706 accuracy=0.80"""
LABS = {name: every_lab.LABS[name] for name in ("shapes", "explorer", "class_experiment")}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A JupyterLab that keeps the cells in the page as it does by itself."""
    own = {f"{name}.ipynb": every_lab.cells(code) for name, code in LABS.items()}
    with jupyterlab.server(own, tmp_path_factory.mktemp("explore") / "log", windowing=None) as running:
        yield running


@pytest.fixture(scope="class")
def page(browser, address, request):
    """The page of the class's lab, the file browser open; afterwards nothing may have gone wrong in it."""
    with jupyterlab.page_of_labs(browser, address, f"{request.cls.LAB}.ipynb") as page:
        yield page


@pytest.fixture
def lab(page, request):
    """The lab as it began."""
    root = page.locator(".lab-alive")
    root.wait_for()
    root.evaluate("root => root.scrollIntoView({ block: 'end' })")
    jupyterlab.type_line(root, request.cls.LAB)
    expect(line_of(root)).to_have_value(request.cls.LAB)
    root.locator(".lab-said").hover()  # away from all that a pointer changes
    return root


def line_of(lab):
    return lab.get_by_label("board line")


def check_axe(page):
    """Axe finds nothing serious in the lab, in light and in dark."""
    for theme in ("Dark", "Light"):
        page.evaluate(
            f"() => window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})"
        )
        page.wait_for_selector(f"body[data-jp-theme-light={str(theme == 'Light').lower()}]", state="attached")
        found = Axe().run(page, context=".lab-alive").response["violations"]
        serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in serious] == []


def check_box(lab):
    """The lab fits beside an open file browser."""
    box = lab.bounding_box()
    assert box["width"] <= 860
    assert box["height"] <= 640


def middle(part):
    part.scroll_into_view_if_needed()
    box = part.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


class TestShapes:
    LAB = "shapes"

    def test_each_setting_stands_below_its_layer(self, lab):
        for layer, settings in {
            "input": ["image size"],
            "convolution 1": ["kernel 1", "padding 1", "channels 1"],
            "convolution 2": ["kernel 2", "padding 2", "channels 2"],
            "dense 1": ["dense 1"],
            "dense 2": ["dense 2"],
        }.items():
            head = lab.get_by_role("button", name=layer).bounding_box()
            for setting in settings:
                slider = lab.get_by_role("slider", name=setting, exact=True).bounding_box()
                assert slider["y"] > head["y"] + head["height"]
                assert head["x"] <= slider["x"]
                assert slider["x"] + slider["width"] <= head["x"] + head["width"] + 1

    def test_a_slider_by_keyboard_changes_its_layer(self, page, lab):
        slider = lab.get_by_role("slider", name="channels 1")
        slider.focus()
        page.keyboard.press("ArrowRight")
        expect(slider).to_have_attribute("aria-valuetext", "7")
        expect(line_of(lab)).to_have_value("shapes channels_1=7")
        expect(lab.get_by_role("button", name="convolution 1")).to_contain_text("7×28×28")
        assert lab.locator(".lab-of-convolution svg").first.locator("rect").count() == 7
        shown = lab.locator(".lab-totals .lab-amount").all_inner_texts()
        assert shown == known(page, "lab.state()")["facts"]["totals"]
        expect(lab.get_by_role("status")).to_contain_text("28 → 28 → 14 → 10 → 5")

    def test_a_layer_under_the_pointer_tells_its_arithmetic(self, page, lab):
        why = lab.locator(".lab-why")
        expect(why).to_contain_text("28 + 2·2 − 5 + 1 = 28 rows")
        lab.get_by_role("button", name="dense 1").hover()
        for line in known(page, "lab.state()")["facts"]["layers"][5]["why"]:
            expect(why).to_contain_text(line)
        lab.locator(".lab-said").hover()
        expect(why).to_contain_text("28 + 2·2 − 5 + 1 = 28 rows")

    def test_a_layer_is_pinned_by_a_key_or_a_finger_and_spoken(self, page, lab):
        button = lab.get_by_role("button", name="pooling 2")
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(lab.locator(".lab-why")).to_contain_text("⌊10 / 2⌋ = 5 rows")
        expect(lab.get_by_role("status")).to_contain_text("⌊10 / 2⌋ = 5 rows")
        first = lab.get_by_role("button", name="convolution 1")
        jupyterlab.touch(page, middle(first))
        expect(first).to_have_attribute("aria-pressed", "true")
        expect(button).to_have_attribute("aria-pressed", "false")

    def test_an_impossible_choice_dims_the_picture_but_not_the_settings(self, lab):
        jupyterlab.type_line(lab, "shapes image_size=12 kernel_1=11")
        expect(lab.locator(".lab-said")).to_contain_text("larger than the 3×3 map")
        expect(lab.get_by_text("last possible settings")).to_be_visible()
        opacity = "element => getComputedStyle(element).opacity"
        assert lab.locator(".lab-cost").first.evaluate(opacity) == "0.4"
        assert lab.locator(".lab-slot").first.evaluate(opacity) == "1"
        assert lab.locator(".lab-picture").evaluate(opacity) == "1"
        expect(lab.get_by_role("button", name="convolution 1")).to_contain_text("6×28×28")

    def test_nothing_serious_and_all_in_sight(self, page, lab):
        check_box(lab)
        check_axe(page)


class TestExplorer:
    LAB = "explorer"

    def test_a_pixel_under_the_pointer_says_its_number_and_a_click_shows_all(self, page, lab):
        check_explorer_under_the_pointer(Lab(page, "explorer", called="lab"))

    def test_the_pixels_are_reached_by_keyboard_and_by_a_finger(self, page, lab):
        jupyterlab.type_line(lab, "explorer view=numbers place=3")
        canvas = lab.get_by_role("slider", name="pixel")
        canvas.wait_for()  # the kernel has taken the line by then
        image = known(page, "lab.state()")["arrays"]["image"][0]
        canvas.focus()
        for key in ("ArrowDown", "ArrowDown", "End", "ArrowLeft"):
            page.keyboard.press(key)
        expect(canvas).to_have_attribute("aria-valuetext", f"row 2, column 26: {image[2][26]}")
        box = canvas.bounding_box()
        wide, high = (box["width"] - 2 * EDGE) / 28, (box["height"] - 2 * EDGE) / 28
        places = [
            (box["x"] + EDGE + (column + 0.5) * wide, box["y"] + EDGE + (row + 0.5) * high)
            for row, column in ((5, 5), (14, 12))
        ]
        jupyterlab.touch(page, *places)
        expect(canvas).to_have_attribute("aria-valuetext", f"row 14, column 12: {image[14][12]}")

    def test_a_line_is_not_undone_by_moves_that_still_waited_when_it_was_typed(self, page, lab):
        jupyterlab.type_line(lab, "explorer place=100")
        expect(line_of(lab)).to_have_value("explorer place=100")
        lab.evaluate(
            """lab => {
                const [next] = [...lab.querySelectorAll('button')].filter((button) => button.innerText === 'next');
                next.click();
                next.click(); // waits for the answer to the first
                const line = lab.querySelector('input[aria-label="board line"]');
                line.value = 'explorer place=4';
                line.dispatchEvent(new Event('input'));
                line.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
            }"""
        )
        page.wait_for_timeout(1500)
        assert jupyterlab.run_python(page, "print(lab.board.line())").strip() == "explorer place=4"
        expect(line_of(lab)).to_have_value("explorer place=4")

    def test_a_place_is_typed_and_next_and_previous_lead_on(self, page, lab):
        place = lab.get_by_role("spinbutton", name="which image")
        place.fill("4321")
        place.press("Enter")
        expect(line_of(lab)).to_have_value("explorer place=4321")
        lab.get_by_role("button", name="next").click()
        expect(line_of(lab)).to_have_value("explorer place=4351")
        lab.get_by_role("button", name="previous").click()
        expect(line_of(lab)).to_have_value("explorer place=4321")
        for _ in range(3):  # faster than the answers come
            lab.get_by_role("button", name="next").click()
        expect(line_of(lab)).to_have_value("explorer place=4411")
        place.fill("99999")
        place.press("Enter")
        expect(place).to_have_value("9999")
        # Else the answer may come while the next line is typed.
        expect(line_of(lab)).to_have_value("explorer place=9999")
        expect(lab.get_by_role("button", name="next")).to_have_attribute("aria-disabled", "true")
        jupyterlab.type_line(lab, "explorer view=numbers place=4")
        lab.get_by_role("button", name="next").click()
        expect(line_of(lab)).to_have_value("explorer view=numbers place=5")

    def test_only_the_settings_of_the_view_stand_there(self, lab):
        expect(lab.get_by_label("seed")).to_be_visible()
        lab.get_by_label("view").select_option(label="counts and means")
        expect(lab.get_by_label("seed")).to_have_count(0)
        expect(lab.get_by_role("button", name="your photograph")).to_be_hidden()
        lab.get_by_role("button", name="dress: 1").click()
        expect(line_of(lab)).to_have_value("explorer view=counts-and-means class_name=dress")
        expect(lab.get_by_role("button", name="dress: 1")).to_have_attribute("aria-pressed", "true")

    def test_a_photograph_of_ones_own_and_a_file_that_is_none(self, page, lab, tmp_path):
        jupyterlab.type_line(lab, "explorer view=own-photo")
        expect(lab.locator(".lab-said")).to_contain_text("An example")
        choose_file(page, lab, get_sample_data("grace_hopper.jpg", asfileobj=False))
        expect(lab.locator(".lab-said")).to_contain_text("Your photograph")
        expect(lab.locator(".lab-upload")).to_contain_text("grace_hopper.jpg: taken as 512 pixels wide, 600 high")
        titles = known(page, "lab.state()")["facts"]["titles"]
        assert lab.locator(".lab-steps figcaption").all_inner_texts() == titles
        loaded = "images => images.every(image => image.complete && image.naturalWidth > 0)"
        page.wait_for_function(f"() => ({loaded})([...document.querySelectorAll('.lab-steps img')])")
        path = tmp_path / "notes.png"
        path.write_text("no picture")
        choose_file(page, lab, path)
        refusal = lab.get_by_text("This picture cannot be read here")
        expect(refusal).to_be_visible()
        jupyterlab.type_line(lab, "explorer")
        expect(refusal).to_have_count(0)

    def test_nothing_serious_and_all_in_sight(self, page, lab):
        for view in ("images", "numbers", "counts-and-means", "own-photo"):
            before = lab.get_attribute("data-version")
            jupyterlab.type_line(lab, f"explorer view={view} class_name=bag")
            expect(lab).not_to_have_attribute("data-version", before)
            check_box(lab)
            check_axe(page)


def choose_file(page, lab, path):
    """Choose a file in the dialogue that the upload button opens."""
    with page.expect_file_chooser() as dialogue:
        lab.get_by_role("button", name="your photograph").click()
    dialogue.value.set_files(path)


class TestClassExperiment:
    LAB = "class_experiment"

    @pytest.fixture(autouse=True)
    def pasted(self, lab):
        lab.get_by_label("result lines").fill(LINES)
        expect(lab.locator(".lab-said")).to_contain_text("3 results.")

    def test_lines_become_dots_with_their_mean_and_spread(self, page, lab):
        chart = lab.get_by_role("slider", name="mean accuracy by learning rate")
        chart.focus()
        page.keyboard.press("Home")
        expect(chart).to_have_attribute("aria-valuetext", "learning rate 0.01: 1 result, mean 0.61")
        page.keyboard.press("ArrowRight")
        said = "learning rate 0.1: 2 results, mean 0.82 ± 0.028"
        expect(chart).to_have_attribute("aria-valuetext", said)
        expect(lab.get_by_text(said)).to_be_visible()
        assert known(page, "lab.state()")["facts"]["groups"][1]["count"] == 2

    def test_the_setting_under_the_pointer_is_told(self, page, lab):
        box = lab.get_by_role("slider", name="mean accuracy").bounding_box()
        for x, said in ((60, "learning rate 0.01: 1 result"), (box["width"] - 40, "learning rate 0.1: 2 results")):
            page.mouse.move(box["x"] + x, box["y"] + 100)
            expect(lab.locator(".lab-note")).to_contain_text(said)

    def test_a_line_that_cannot_be_read_is_named_and_a_single_result_is_one(self, lab):
        lab.get_by_label("result lines").fill(f"{LINES.splitlines()[0]}\n<b>rubbish</b>")
        expect(lab.locator(".lab-said")).to_have_text("1 result. One line could not be read: see below.")
        expect(lab.locator(".lab-troubles li")).to_have_text(
            "line 2: it begins with “<b>rubbish</b>”, not with “result”"
        )
        assert lab.locator(".lab-picture").evaluate("element => getComputedStyle(element).opacity") == "1"

    def test_another_axis(self, lab):
        lab.get_by_label("accuracy against").select_option(label="first channels")
        expect(line_of(lab)).to_have_value("class_experiment against=first-channels")
        expect(lab.locator(".lab-note")).to_contain_text("first channels 6: 3 results, mean 0.75")
        lab.get_by_label("accuracy against").select_option(label="seconds of training")
        expect(lab.locator(".lab-said")).to_contain_text("3 of them do not give the seconds of training.")

    def test_nothing_serious_and_all_in_sight(self, page, lab):
        check_box(lab)
        check_axe(page)
