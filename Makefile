# make lab: install, then open the course.  make test: install, then run everything.  See README.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LAB_FLAGS ?=
CPU_WHEELS := https://download.pytorch.org/whl/cpu

# Kernels run in notebooks/: a relative folder would not be found from there.
ifneq ($(LENET_LAB_DATA),)
override LENET_LAB_DATA := $(abspath $(LENET_LAB_DATA))
export LENET_LAB_DATA
endif

.PHONY: install lab test bench mutants format screenshots

install: $(VENV)/course-installed

# A machine without an NVIDIA driver needs none of the 3 GB of CUDA libraries that PyPI's torch for Linux brings along.
$(VENV)/course-installed: requirements.txt pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null && $(MAKE) -s cpu-wheels-answer; then \
		echo "No NVIDIA driver: taking PyTorch's CPU build."; \
		set -x; $(BIN)/python -m pip install -q --extra-index-url $(CPU_WHEELS) -r requirements.txt; \
	else \
		set -x; $(BIN)/python -m pip install -q -r requirements.txt; \
	fi
	touch $@

.PHONY: cpu-wheels-answer
cpu-wheels-answer:
	@timeout 5 $(BIN)/python -c "import urllib.request; urllib.request.urlopen('$(CPU_WHEELS)/torch/', timeout=5)" 2>/dev/null

$(VENV)/tests-installed: $(VENV)/course-installed tests/requirements.txt
	$(BIN)/python -m pip install -q -r tests/requirements.txt
	touch $@

lab: install
	$(BIN)/python -m jupyterlab notebooks/01-data.ipynb $(LAB_FLAGS)

test: $(VENV)/tests-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

bench: $(VENV)/tests-installed
	$(BIN)/python -m tests.bench.chapters

mutants: $(VENV)/tests-installed
	$(BIN)/python -m tests.mutants

# Cells keep their ids; outputs and widget state go.
format: $(VENV)/tests-installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout --keep-id $$(git ls-files '*.ipynb')

screenshots: $(VENV)/tests-installed
	$(BIN)/python -m tests.browser.screenshots
