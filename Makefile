# One name per task; `make` alone lists them. Variables of the tests (BOURSE_TEST_*,
# BOURSE_E2E_URL) pass through from the environment.

FUZZTIME ?= 30s
URL      ?= $(BOURSE_E2E_URL)

# Binaries and tests share one build cache.
export CGO_ENABLED := 0

go_build   := go build -trimpath -ldflags='-s -w' -o bin/
golangci   := go tool -modfile=tools/go.mod golangci-lint
manifest   := internal/web/dist/manifest.json
installed  := web/node_modules/.package-lock.json
web_source := $(shell find web -name node_modules -prune -o -type f -print)

.PHONY: help run build web test test-go test-browser test-race bench bench-load faults fuzz e2e lint format generate chromium versions clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

##@ Run
run: $(manifest) ## Build and serve http://localhost:8080
	$(go_build) ./cmd/bourse
	@echo 'bourse: http://localhost:8080 (Ctrl-C ends it)'
	@exec bin/bourse

build: $(manifest) ## Build every binary into bin/, with the web assets inside
	$(go_build) ./cmd/...

web: $(manifest) ## Build the web assets, when their sources changed

##@ Check
test: test-go test-browser ## Run all tests; installs what they need

test-go: $(manifest) ## Run the Go tests
	@for name in BOURSE_TEST_REPLAY BOURSE_TEST_DATA BOURSE_TEST_AWS; do \
		[ -n "$$(printenv $$name)" ] || echo "$$name is not set: the tests that need it are skipped (see the README)."; done
	go test ./...

test-browser: build ## Run the tests of the dashboard in Chromium
	@if tools/chromium; then npm test --prefix web; else echo 'The browser tests are skipped.'; fi

test-race: $(manifest) ## Run the Go tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -short ./cmd/... ./internal/...

bench: $(manifest) ## Run the benchmarks
	go test ./... -run '^$$' -bench . -benchmem

bench-load: ## Measure loads into PostgreSQL against a plain COPY
	BOURSE_TEST_LOAD=1 go test ./internal/postgres -run TestLoadSpeed -count=1 -v -timeout 30m

faults: ## Let every source meet every fault, and write docs/faults.md
	go test ./internal/ingest -run TestFaultMatrix -count=1 -timeout 30m -update

fuzz: ## Fuzz each target for FUZZTIME=30s
	@grep -rEo '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' cmd internal | sort | while IFS=: read -r file func; do \
		go test "./$$(dirname "$$file")" -run '^$$' -fuzz "^$${func#func }$$" -fuzztime $(FUZZTIME) </dev/null || exit 1; \
	done

e2e: versions ## Run the HTTP scripts of e2e/ against URL=https://…
	@test -n '$(URL)' || { echo 'Say what to test: make e2e URL=https://bourse.example.com'; exit 2; }
	BOURSE_E2E_URL='$(URL)' go test ./e2e -run TestLive -count=1 -v

lint: $(installed) ## Check style, imports, types and modules
	go vet ./...
	$(golangci) run
	go mod verify
	go mod tidy -diff
	npm run check --prefix web

##@ Change
format: versions ## Format the Go sources
	$(golangci) fmt

generate: versions ## Write the generated files again
	go generate ./...

clean: ## Remove what the build made; data/ stays
	rm -rf bin web/node_modules internal/web/dist/*

# What the targets above need.

$(manifest): $(installed) $(web_source)
	npm run build --prefix web
	@touch $@

$(installed): web/package.json web/package-lock.json | versions
	npm ci --prefix web --no-audit --no-fund
	@touch $@

chromium:
	@tools/chromium

versions:
	@printf '%s\n' go1.26 "$$(go env GOVERSION 2>/dev/null)" | sort -VC || \
		{ echo "bourse needs Go 1.26 or newer; found: $$(go env GOVERSION 2>/dev/null || echo none)"; exit 1; }
	@printf '%s\n' v20 "$$(node --version 2>/dev/null)" | sort -VC || \
		{ echo "bourse needs Node 20 or newer; found: $$(node --version 2>/dev/null || echo none)"; exit 1; }
