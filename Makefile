# Each target calls a script in infra/ or in the folder of a system.

PYTHON3 ?= python3
TOOLS := .venv/.installed

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: tools
tools: $(TOOLS) ## Install the pinned tools into .venv

$(TOOLS): infra/requirements.txt infra/requirements-model.txt infra/requirements-checkov.txt infra/npm/package-lock.json
	@echo "── Installing the tools into .venv"
	@$(PYTHON3) -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --requirement infra/requirements.txt
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement infra/requirements-model.txt
	@PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --prefix infra/npm --ignore-scripts --no-audit --no-fund --silent
	@$(PYTHON3) -m venv .venv/checkov
	@.venv/checkov/bin/pip install --quiet --disable-pip-version-check --requirement infra/requirements-checkov.txt
	@touch $@

.PHONY: up
up: $(TOOLS) ## Start the local AWS, deploy all systems to it, or SYSTEM=checkout and what it needs, and take the tour
	@infra/local/up.sh $(SYSTEM)
	@infra/local/run.sh tour.py $(SYSTEM)

.PHONY: tour
tour: $(TOOLS) ## Take the tour of the local stack again, or the part of SYSTEM=checkout and what it needs
	@infra/local/run.sh tour.py $(SYSTEM)

.PHONY: down
down: $(TOOLS) ## Stop the local AWS and delete its tables, files and users
	@infra/local/down.sh

.PHONY: logs
logs: $(TOOLS) ## Follow the logs of the local stack, or of FUNCTION=auth-login
	@infra/local/run.sh logs.py $(FUNCTION)

.PHONY: invoke
invoke: $(TOOLS) ## Invoke FUNCTION=documents-list of the local stack with its sample event from events/
	@infra/local/invoke.sh $(FUNCTION)

.PHONY: admin
admin: $(TOOLS) ## Make the user EMAIL=… of the local stack an admin
	@infra/local/run.sh functions/auth/admin.py "$(EMAIL)"

.PHONY: redrive
redrive: $(TOOLS) ## Retry the messages in the dead-letter queues of the local stack
	@infra/local/run.sh redrive.py

.PHONY: queues
queues: $(TOOLS) ## Print the queues of the local stack, and why messages are in the dead-letter queues
	@infra/local/run.sh queues.py

.PHONY: trial-balance
trial-balance: $(TOOLS) ## Check that orders, ledger and stock of the local stack agree
	@infra/local/run.sh functions/checkout/trial_balance.py --wait

.PHONY: test
test: $(TOOLS) ## Check format and lints, and run all tests, or those of SYSTEM=checkout, on a local AWS of their own
	@SYSTEM="$(SYSTEM)" infra/test.sh

.PHONY: lint
lint: $(TOOLS) ## Check format, code, dependencies and templates, as `make test` does first
	@infra/lint.sh

.PHONY: permissions
permissions: $(TOOLS) ## Write docs/PERMISSIONS.md anew from the templates
	@.venv/bin/python infra/permissions.py

.PHONY: soak
soak: $(TOOLS) ## Run the same with every fault at every request, and Schemathesis for 15 minutes; `make test` tries a third of the faults
	@SOAK=1 SYSTEM="$(SYSTEM)" infra/test.sh

.PHONY: openapi
openapi: ## Write openapi.yaml from the source
	@UPDATE_CONTRACT=1 cargo test --workspace --test document --profile local --target "$$(rustc --print host-tuple)" \
		--quiet the_checked_in_document

.PHONY: release
release: ## Keep openapi.yaml as the document of a release, with which later ones are compared
	@cp openapi.yaml contract/released.yaml

.PHONY: docs
docs: ## Build the manuals of the crates, and print where they are
	@cargo doc --no-deps --workspace --profile local --target "$$(rustc --print host-tuple)"

.PHONY: bench
bench: $(TOOLS) ## Measure the cost of the layers of the shared crate, and of Powertools for Python
	@cargo bench --package shared
	@.venv/bin/python tests/powertools/bench.py

.PHONY: test-release
test-release: ## Check a release build: panics are caught, and failpoints are left out
	@infra/test_release.sh

.PHONY: bench-pdf
bench-pdf: $(TOOLS) ## Measure text on the PDFs in PDFS=… and PDF/A on those in PDFA_CORPUS=…, and other tools on both
	@.venv/bin/pip install --quiet --requirement crates/pdf-text/benches/requirements.txt
	@.venv/bin/python crates/pdf-text/benches/peers.py "$(PDFS)"
	@.venv/bin/python crates/pdf-text/benches/large.py
	@PDFA_CORPUS="$(abspath $(PDFA_CORPUS))" cargo bench --package pdfa --bench corpus

.PHONY: fuzz
fuzz: ## Fuzz the code that reads PDFs and requests, each target for SECONDS=60
	@crates/fuzz/run.sh $(or $(SECONDS),60)

.PHONY: deploy
deploy: $(TOOLS) ## Build for AWS and deploy with your AWS profile
	@infra/deploy.sh

.PHONY: sbom
sbom: $(TOOLS) ## Write a software bill of materials (CycloneDX) of the programs of each system into target/sbom/
	@.venv/bin/python infra/sbom.py

.PHONY: take
take: $(TOOLS) ## Take SYSTEM=auth and what it needs out into a repository of its own, TO=../auth
	@.venv/bin/python infra/take.py "$(SYSTEM)" "$(TO)"
