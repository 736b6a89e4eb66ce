PYTHON ?= python3
BIN := .venv/bin
TOOLS := .venv-tools/bin
# only files whose hashes the list has
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes
export PYTHONUNBUFFERED := 1

.PHONY: run install install-dev install-bench install-peers requirements sbom audit test test-matrix test-async test-xinference test-monitoring fuzz hammer chaos bench bench-noisy bench-long compare compare-pythons growth peers lint clean

run: install
	@$(BIN)/python manage.py serve

install: .venv/.runtime

install-dev: .venv/.dev

install-bench: .venv/.bench

install-peers: .venv-peers/.ready

.venv/bin/python:
	@$(PYTHON) -m venv .venv || { echo "On Debian: sudo apt-get install python3-venv"; rm -rf .venv; exit 1; }

.venv/.runtime: requirements.txt | .venv/bin/python
	@echo "Installing what runs into .venv (once) …"
	@$(BIN)/python $(PIP_INSTALL) -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt | .venv/bin/python
	@echo "Installing what tests need into .venv (once) …"
	@$(BIN)/python $(PIP_INSTALL) -r requirements-dev.txt
	@touch $@ .venv/.runtime

.venv/.bench: requirements-bench.txt | .venv/bin/python
	@echo "Installing what benchmarks need into .venv (once) …"
	@$(BIN)/python $(PIP_INSTALL) -r requirements-bench.txt
	@touch $@ .venv/.dev .venv/.runtime

.venv-peers/.ready: requirements-peers.txt
	@echo "Installing the other systems into .venv-peers (once) …"
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python $(PIP_INSTALL) -r requirements-peers.txt
	@touch $@

.venv-tools/.ready: requirements-tools.txt
	@$(PYTHON) -m venv .venv-tools
	@$(TOOLS)/python $(PIP_INSTALL) -r requirements-tools.txt
	@touch $@

# the lists with versions and hashes, from the names in requirements*.in; versions stay as they are,
# but for those of make requirements UPGRADE="name another-name"
requirements: .venv-tools/.ready
	@for each in requirements requirements-observability requirements-dev requirements-bench requirements-peers requirements-tools; do \
		$(TOOLS)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-config --custom-compile-command "make requirements" \
			$(UPGRADE:%=--upgrade-package %) $$each.in --output-file $$each.txt || exit 1; \
	done

# what is installed, in CycloneDX 1.6; the same lists give the same file
sbom: .venv-tools/.ready
	@PYTHONWARNINGS=ignore $(TOOLS)/cyclonedx-py requirements --output-reproducible \
		--pyproject pyproject.toml --output-file sbom.cdx.json requirements.txt
	@echo "sbom.cdx.json"

# known vulnerabilities of pinned packages, where PyPI's list of them can be read
audit: .venv-tools/.ready
	@$(TOOLS)/python tests/known_vulnerabilities.py

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --config pyproject.toml
	$(BIN)/mypy
	$(BIN)/python -m tests.language_guard
	$(BIN)/python manage.py makemigrations --check --dry-run

test: install-dev
	tests/run

# every page at every window size and in every language, where make test takes all pairs of them
test-matrix: install-dev
	FULL_MATRIX=1 $(BIN)/pytest -m browser tests/browser/test_layout.py \
		tests/browser/test_operations_layout.py tests/browser/test_account_pages.py

# the asyncio tests again and again, for what happens once in many runs: make test-async REPEAT=100
test-async: install-dev
	REPEAT=$(or $(REPEAT),100) tests/async-loop

test-xinference: install-dev
	tests/real_xinference/run -m real

# Prometheus scrapes two webs and two workers; a worker is killed, the alert fires and clears
test-monitoring: install-dev
	tests/with-prometheus

# made-up requests and messages: nothing breaks, and nothing of other users is shown
fuzz: install-dev
	HANGS_AFTER=7200 FUZZ_INPUTS=$(or $(INPUTS),56000) HAMMER_SECONDS=$(or $(SECONDS),60) \
		$(BIN)/pytest tests/fuzz -s

# two users try each other's ids; make hammer SECONDS=60
hammer: install-dev
	HAMMER_SECONDS=$(or $(SECONDS),60) $(BIN)/pytest tests/fuzz/test_hammering.py -s

# everything dies in turn, and nothing may be lost; SEED=7 repeats a run
chaos: install-dev
	tests/chaos/run $(if $(SEED),--seed $(SEED)) $(if $(SERVERS),--servers $(SERVERS))

# the figures that have a goal; make bench FIGURES="overhead append" measures these alone
bench: install-bench
	$(BIN)/python -m benchmarks $(FIGURES) --write benchmarks/RESULTS.md

# the same while another process uses a core: the ratios must stay the same
bench-noisy: install-bench
	$(BIN)/python -m benchmarks $(FIGURES) --noise 1 --write benchmarks/RESULTS-noisy.md

# the figures that take minutes each: what breaks, leaks or clogs
bench-long: install-bench
	$(BIN)/python -m benchmarks --long --write benchmarks/RESULTS.md

# other servers and other channel layers, for docs/operations.md
compare: install-bench
	$(BIN)/python -m benchmarks compare_servers compare_layers --write benchmarks/RESULTS.md

# some figures under other versions of Python: make compare-pythons PYTHONS="python3.12 python3.14"
PYTHONS := python3.12 python3.13 python3.14
compare-pythons: install-bench
	@for each in $(PYTHONS); do \
		$$each --version >/dev/null 2>&1 || { echo "$$each is not installed."; continue; }; \
		$$each -m venv .venv-$$(basename $$each) && \
		.venv-$$(basename $$each)/bin/python $(PIP_INSTALL) -r requirements-dev.txt || exit 1; \
	done
	$(BIN)/python -m benchmarks compare_pythons --write benchmarks/RESULTS.md

# what grows with what, for docs/scaling.md
growth: install-bench
	$(BIN)/python -m benchmarks growth --write benchmarks/RESULTS.md

# beside Gradio, and Django with Celery, for README.md
peers: install-bench install-peers
	$(BIN)/python -m benchmarks peers --write benchmarks/RESULTS.md

clean:
	rm -rf .venv .venv-peers .venv-python3.* .venv-tools sbom.cdx.json node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
