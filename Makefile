# Each target sets up what it needs first; where nothing is missing that takes no time.
PYTHON ?= python3
export PYTHON
BIN := .venv/bin

.PHONY: run setup test lint fmt bench conformance clean
.DEFAULT_GOAL := run

run: ## start the whole station
	@bin/setup redis
	@exec $(BIN)/python manage.py appliance

setup: ## only set up: .venv with all requirements, and Redis
	@bin/setup redis

test: ## lint and all tests; certification cases in memory, one or two of each block on the appliance, too
	@bin/setup redis chromium rauc softhsm wireguard mosquitto gettext
	@$(MAKE) --no-print-directory checks
	@exec $(BIN)/python -m pytest

lint: ## style, types, and the rule that imports run one way
	@bin/setup
	@$(MAKE) --no-print-directory checks

.PHONY: checks
checks:
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@told=$$($(BIN)/lint-imports --no-logo 2>&1) || { printf '%s\n' "$$told"; exit 1; }
	@$(BIN)/mypy --no-error-summary

fmt: ## put the code into its one form
	@bin/setup
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

.PHONY: messages
messages: ## compile the translations in locale/ (needs GNU gettext)
	@for source in locale/*/LC_MESSAGES/*.po; do msgfmt --check-format --no-hash -o $${source%.po}.mo $$source || exit 1; done

bench: ## measure what issue and contract give numbers for
	@bin/setup redis
	@exec $(BIN)/python -m tests.performance

AT_ONCE ?= 3
SECURED = $(wildcard tests/conformance/test_[almn]_*.py) \
	tests/conformance/test_b_network_profiles.py tests/conformance/test_e_start.py tests/conformance/test_e_offline.py

.PHONY: soak simulate
soak: simulate ## what must survive: each part bounded in time, with a table and JSON in build/

simulate: ## 10,000 station-days with faults; ARGS="--seed 7" tells one of them
	@bin/setup
	@exec $(BIN)/python -m tests.simulation $(ARGS)

conformance: ## all certification cases on both rigs, and the report docs/conformance.md
	@bin/setup redis
	@rm -f build/conformance-*.json
	@# The report's own runs are by security profile 1; by 2 and 3 all of it in memory, and of the appliance the blocks
	@# that are about security and connecting, with some of the others.
	@failed=0; \
	for rig in memory appliance; do \
		$(BIN)/python -m pytest tests/conformance -q -n $(AT_ONCE) --rig $$rig \
			--conformance-report build/conformance-$$rig.json || failed=1; \
	done; \
	for profile in 2 3; do \
		$(BIN)/python -m pytest tests/conformance -q -n $(AT_ONCE) --rig memory --security-profile $$profile \
			--conformance-report build/conformance-memory-$$profile.json || failed=1; \
		$(BIN)/python -m pytest $(SECURED) -q -n $(AT_ONCE) --rig appliance --security-profile $$profile \
			--conformance-report build/conformance-appliance-$$profile.json || failed=1; \
	done; \
	$(BIN)/python -m tests.conformance || failed=1; \
	exit $$failed

.PHONY: fuzz
FUZZ ?= 200
fuzz: ## many more requests to the API than make test plays, others each time; FUZZ=1000 of each kind
	@bin/setup
	@FUZZ_EXAMPLES=$(FUZZ) exec $(BIN)/python -m pytest tests/webui/api/test_any_request.py -q

clean: ## remove all that can be made again; the data folder stays
	rm -rf .venv .setup.lock .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
