# make lab: install, then open the course.  make test: install, then run everything.  See README.md.
# make bench PART=labs: how fast the labs answer.  make reproduce: the published experiments.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LAB_FLAGS ?=
PART ?= chapters labs training
ONLY ?=
JOBS ?= 2
CPU_WHEELS := https://download.pytorch.org/whl/cpu

# Kernels run in notebooks/: a relative folder would not be found from there.
ifneq ($(LENET_LAB_DATA),)
ifeq ($(filter /%,$(firstword $(LENET_LAB_DATA))),)
override LENET_LAB_DATA := $(CURDIR)/$(LENET_LAB_DATA)
endif
export LENET_LAB_DATA
endif

.PHONY: install lab test attempts browser bench reproduce reproduce-full weights mutants format screenshots

install: $(VENV)/course-installed

# A machine without an NVIDIA driver needs none of the 3 GB of CUDA libraries that PyPI's torch for Linux brings along.
# Most of what is installed is never imported: Python compiles what is when it meets it, instead of all 13,000 files.
$(VENV)/course-installed: requirements.txt helpers/lock.txt pyproject.toml
	@$(PYTHON) helpers/environment.py || { echo "Try: make lab PYTHON=python3.13"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	@wheels=""; \
	if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null; then \
		timeout 5 $(BIN)/python -c "import urllib.request; urllib.request.urlopen('$(CPU_WHEELS)/torch/', timeout=5)" \
			2>/dev/null && wheels="--extra-index-url $(CPU_WHEELS)"; \
	fi; \
	echo "Installing$${wheels:+ with PyTorch's CPU build} into $(VENV), which takes some minutes"; \
	$(BIN)/python -m pip install -q --no-compile $$wheels -r requirements.txt
	touch $@

$(VENV)/tests-installed: $(VENV)/course-installed tests/requirements.txt
	$(BIN)/python -m pip install -q --no-compile -r tests/requirements.txt
	touch $@

lab: install
	$(BIN)/python -m jupyterlab notebooks/01-data.ipynb $(LAB_FLAGS)

# One thread a process: two processes with two threads each would wait for each other's on two cores.
# A file stays in one process, and files begin in the order of tests/conftest.py, the longest first.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

test: $(VENV)/tests-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTEST) --ignore=tests/browser --ignore-glob='tests/test_attempts_*.py'

# What students answered and might answer, some 2,000 attempts at the exercises; the labs in Chromium.
attempts: $(VENV)/tests-installed
	$(PYTEST) tests/test_attempts_*.py

browser: $(VENV)/tests-installed
	$(PYTEST) tests/browser

# A scripted student goes through the chapters in JupyterLab, from top to bottom and with detours, and writes
# build/lesson/index.html to look at; ONLY=2 for one chapter, ONLY="2 straight" for one way through it.
.PHONY: lesson
lesson: $(VENV)/tests-installed
	$(BIN)/python -m tests.lesson.rehearse $(ONLY)

bench: $(VENV)/tests-installed
	@for part in $(PART); do $(BIN)/python -m tests.bench.$$part $(ONLY) || exit 1; done

# What the course does on this machine's GPU, or without one, in at most five minutes.
.PHONY: gpu
gpu: $(VENV)/tests-installed
	$(BIN)/python -m tests.bench.gpu

# The numbers in the chapters' prose, with five seeds each: some 15 minutes; ONLY=5 or ONLY=5.race for a part.
.PHONY: claims
claims: $(VENV)/tests-installed
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.bench.claims $(ONLY)

# R1 to R7 on the whole sets, some 15 minutes; reproduce-full takes hours.
reproduce: install
	$(BIN)/python -m helpers.reproduce_all

reproduce-full: install
	$(BIN)/python -m helpers.reproduce_all --full

# The two trained LeNets of helpers/trained, from the whole training sets: some 10 minutes.
weights: install
	$(BIN)/python -m helpers.pretraining

mutants: $(VENV)/tests-installed
	$(BIN)/python -m tests.mutants

# Cells keep their ids; outputs and widget state go. The labs' JavaScript is formatted if Node.js is there.
format: $(VENV)/tests-installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout --keep-id notebooks/*.ipynb notebooks/solutions/*.ipynb
	@! command -v npx >/dev/null || npx --yes prettier@3 --print-width 120 --write helpers/labs/*.js helpers/labs/*.css

# Two students on a JupyterHub of this machine; `make class`: five who take chapter 2 at once.
# Both need npm, for the hub's proxy.
.PHONY: hub class
hub: build/hub/installed
	$(BIN)/python -m tests.hub.two_users

class: build/hub/installed
	$(BIN)/python -m tests.hub.class_of_five

# The hub's environment also sees the course's packages, so that pip adds only the hub itself.
build/hub/installed: $(VENV)/tests-installed
	@command -v npm >/dev/null || { echo "This needs npm (Node.js)"; exit 1; }
	@test -x build/hub/bin/pip || $(BIN)/python -m venv build/hub
	@$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" > \
		"$$(build/hub/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/course.pth"
	build/hub/bin/pip install -q "jupyterhub>=5,<7"
	npm install --silent --prefix build/hub configurable-http-proxy
	touch $@

# The README's lines and every test on a bare Debian: SUITE bookworm, trixie, sid; PACKAGES lock, newest, oldest;
# FROM clone, zip.  Needs Linux, root and debootstrap.  See .github/CONTRIBUTING.md.
SUITE ?= trixie
PACKAGES ?= lock
FROM ?= clone
.PHONY: fresh
fresh: $(VENV)/tests-installed
	bash tests/fresh/trial.sh $(SUITE) $(PACKAGES) $(FROM)

screenshots: $(VENV)/tests-installed
	$(BIN)/python -m tests.browser.screenshots

# A run's past as a GIF for the README or a lecture; LINE="trainer lr=0.01 epochs=2" for another run.
LINE ?= trainer
.PHONY: film
film: $(VENV)/tests-installed
	$(BIN)/python -m tests.film "$(LINE)"

# For a class: pages to read without running, and the course without solutions.  See notebooks/README.md.
.PHONY: handout book student-copy assignment
handout: install
	$(BIN)/python -m helpers.teacher.handout

# A website to read before anything is installed, in build/book/html; BOOK_REPOSITORY=https://github.com/OWNER/REPO
# adds buttons that open a chapter on Binder.
book: $(VENV)/tests-installed
	$(BIN)/python -m helpers.teacher.book

assignment: install
	$(BIN)/python -m helpers.teacher.assignment

student-copy: install
	$(BIN)/python -m helpers.teacher.student_copy

# The versions that everyone installs, taken anew: the newest that the ranges allow today.  See tests/lock.py.
.PHONY: lock
lock: $(VENV)/tests-installed
	$(BIN)/python -m tests.lock
