# The commands that always work, from a fresh clone: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
BENCH  := $(VENV)/.bench-ready

.PHONY: install bench-deps standin convex demo demo-real demo-convex test slow campaigns bench-accuracy bench-quick bench-room bench-seal bench-edge soak lint types layers bench-report clean

install: $(READY)

# Every wheel is pinned by hash; tap itself is installed in place, with the build tool from there.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# Other people's detectors, for benchmarks/accuracy/baselines alone.
bench-deps: $(BENCH)

$(BENCH): requirements-bench.lock $(READY)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-bench.lock
	touch $@

demo: $(READY)
	$(BIN)/tap demo

demo-real: $(READY)
	$(BIN)/tap demo --footage pose2sim

# The stand-in for a Convex deployment: the real functions of convex/ on Node, which comes as a wheel.
standin: $(READY)
	$(BIN)/python -m tests.standin build

# The backend's own tests, its types, and whether what is generated from it is as committed.
convex: standin
	$(BIN)/python -m tests.standin npm test
	$(BIN)/python -m tests.standin npm run typecheck
	$(BIN)/python -m tests.standin npm run codegen:check

demo-convex: $(READY)
	$(BIN)/python -m tests.standin run $(BIN)/tap demo --ledger-url @URL \
	  --ledger-token-env STANDIN_TOKEN --out build/demo-convex

# A third process while others wait; what a file sets up is set up once; what waits long comes first.
test: $(READY)
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not slow and not campaign"

slow: $(READY)
	$(BIN)/pytest -m slow

# Every bit of a large seal turned, 100,000 damaged streams: by hand, for a release.
campaigns: $(READY)
	$(BIN)/pytest -m campaign

# All conditions on the part that is only ever scored, with the baselines beside; <= 20 minutes.
bench-accuracy: $(BENCH)
	$(BIN)/python -m benchmarks.accuracy --part scored --hindsight --baselines \
	  --json build/accuracy.json --out build

# A handful of short shoots; fails where a figure falls below benchmarks/accuracy/floors.json.
bench-quick: $(READY)
	$(BIN)/python -m benchmarks.accuracy --part develop --quick

# What the live page and 50 readers cost the witness; about 6 minutes.
bench-room: $(READY)
	$(BIN)/python -m benchmarks.room --rounds 2

# A mixed shoot whose feeds fail all the time; `make soak MINUTES=60` is the long form.
MINUTES ?= 5
soak: $(READY)
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES) --json build/soak.json

# The seal of 10,000 records: its cost, and 2,000 bits turned and 200 attacks on it; <= 15 minutes.
bench-seal: $(READY)
	$(BIN)/python -m benchmarks.sealing

# Forty far cameras over four edge processes and a NATS server, one killed, one losing messages.
bench-edge: $(READY)
	$(BIN)/python -m benchmarks.edge --cameras 40 --processes 4 --minutes 5 --json build/edge.json

# Size, build time and load time of the page of a two-hour session.
bench-report: $(READY)
	$(BIN)/python -m benchmarks.report

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy
	$(BIN)/pyright

layers: $(READY)
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) build dist demo-out
