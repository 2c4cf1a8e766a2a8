# make demo: a simulated charger with its page and a small CSMS (ARGS="--stations 20", ARGS=--tls); make test: all tests; make check: lint, types, house, tests; make bench: the figures.
# make conformance: the official test cases of OCPP 2.0.1 and those of 1.6, counted.
# make soak: a year of one station in simulated time (ARGS="--days 30 --seed 2"), nothing lost and nothing growing.
# make torture: power cut and processes killed at every write, nothing lost (ARGS="--seed 2 --images 2000 --cuts 50"); needs a C compiler.
# make fuzz: every parser against whatever bytes there can be (ARGS="--seconds 3600 --seed 1 --only settings"); what breaks one is kept as a test.
# make typetest: each sequence of IEC 61851-1 Annex A, measured; make campaign: every fault in every state. ARGS=--write keeps the reports of these in docs/.
# make mutation: small changes to chargepoint/control, a sample of them, and whether a test finds each (ARGS="--sample 1000 --seed 2 --processes 2";
# ARGS="--last --write": the last run told again with the reasons known now).
# make install also compiles what an installed package would have compiled: otherwise each start may do it anew.
PORT ?= 8080
CONFIG ?= config/demo.toml
PYTHON ?= python3
WORKERS ?= 6
BIN = .venv/bin
STAMP = .venv/.installed

.PHONY: install demo test check bench conformance typetest campaign soak torture mutation fuzz screenshots docs clean

install: $(STAMP)
	@$(BIN)/python -m compileall -q chargepoint hal sim

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[sim,dev]'
	@touch $(STAMP)

demo: install
	@$(BIN)/chargepoint-sim up --config $(CONFIG) --state-dir state/demo --port $(PORT) --csms --open $(ARGS)

test: install
	$(BIN)/python -m pytest tests -m "not alone" -n $(WORKERS) --dist worksteal
	$(BIN)/python -m pytest tests -m alone

check: install
	$(BIN)/ruff check chargepoint hal sim tests bench proof
	$(BIN)/ruff format --check chargepoint hal sim tests bench proof
	$(BIN)/mypy
	$(BIN)/python -m chargepoint check config/chargepoint.toml
	$(MAKE) test

bench: install
	$(BIN)/python -m bench

conformance: install
	$(BIN)/python -m pytest tests/conformance -n $(WORKERS) --dist worksteal --frames 10000 $(ARGS)

typetest: install
	$(BIN)/python -m proof typetest $(ARGS)

campaign: install
	$(BIN)/python -m proof campaign $(ARGS)

mutation: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[mutation]'
	$(BIN)/python -m proof.mutation $(ARGS)

soak: install
	$(BIN)/python -m proof soak $(ARGS)

torture: install
	$(BIN)/python -m proof torture $(ARGS)

fuzz: install
	$(BIN)/python -m proof fuzz $(ARGS)

screenshots: install
	$(BIN)/python -m tests.panel.shots

docs: install
	$(BIN)/python -m chargepoint.local.reference
	$(BIN)/python -m tests.offline.page

clean:
	rm -rf .venv state build dist .mypy_cache .ruff_cache .pytest_cache
