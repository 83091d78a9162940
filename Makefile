# Two commands: `make demo` shows the whole product, `make test` proves it. Both create what they need.
PYTHON ?= python3
BIN := .venv/bin
# Two processes; to read along in one: make test SIDE_BY_SIDE=
SIDE_BY_SIDE := --numprocesses 2 --dist loadscope

.PHONY: demo install test test-all check format bench chaos fuzz chromium clean
.DEFAULT_GOAL := demo

demo: .venv/ready  ## everything on this machine; ARGS=--no-browser only prints the address
	@$(BIN)/switchboard demo $(ARGS)

install: .venv/ready  ## the environment alone, in .venv

test: .venv/ready chromium  ## everything that can run here in under 25 minutes
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

test-all: .venv/ready chromium  ## the slow suites as well
	@$(BIN)/python -m pytest -m "slow or not slow" $(SIDE_BY_SIDE) $(ARGS)

check: .venv/ready  ## style, types, who may import whom, and the licences of what is installed
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pip-licenses --summary >/dev/null

format: .venv/ready
	@$(BIN)/ruff check --fix --quiet .; $(BIN)/ruff format .

DATA ?= data
bench: .venv/ready  ## the whole system beside its peers, on the data sets of the folder DATA; ARGS="--only demo" measures one
	@$(BIN)/python -m benchmarks.bench --data "$(DATA)" $(ARGS)

chaos: .venv/ready  ## kill -9 at every step and whatever else goes wrong; ARGS="--minutes 30 --seed 1" goes on for longer
	@$(BIN)/python -m benchmarks.chaos $(ARGS)

fuzz: .venv/ready  ## ten thousand bent inputs of every kind that comes from outside, others in every run
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest tests/unit/fuzzing tests/integration/flow/test_fuzzing.py \
		tests/integration/platforms/slack/test_fuzzing.py $(ARGS)

chromium:  ## the browser for the page's tests, where we may install it; elsewhere those tests skip and say why
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	    { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium >/dev/null; }; } || true

clean:  ## the environment and what the demo stored
	rm -rf .venv var

.venv/ready: pyproject.toml constraints.txt deploy/install.sh
	@PYTHON="$(PYTHON)" sh deploy/install.sh
