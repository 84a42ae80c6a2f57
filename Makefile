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

.PHONY: help run observe build web test test-go test-browser test-long test-race bench bench-load bench-telemetry faults fuzz e2e e2e-cluster drills drill-alerts lint format generate chromium versions clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

##@ Run
run: $(manifest) ## Build and serve http://localhost:8080
	$(go_build) ./cmd/bourse
	@echo 'bourse: http://localhost:8080 (Ctrl-C ends it)'
	@exec bin/bourse

observe: $(manifest) ## Build and serve, with a Prometheus at :9091 and an Alertmanager at :9093
	@tools/debian prometheus prometheus
	@tools/debian prometheus-alertmanager prometheus-alertmanager alertmanager
	$(go_build) ./cmd/bourse
	@exec deploy/observability/observe

build: $(manifest) ## Build every binary into bin/, with the web assets inside
	$(go_build) ./cmd/...

web: $(manifest) ## Build the web assets, when their sources changed

##@ Check
test: test-go test-browser ## Run all tests; installs what they need

test-go: $(manifest) ## Run the Go tests
	@for name in BOURSE_TEST_REPLAY BOURSE_TEST_DATA BOURSE_TEST_AWS; do \
		[ -n "$$(printenv $$name)" ] || echo "$$name is not set: the tests that need it are skipped (see the README)."; done
	go test ./... -timeout 20m

test-browser: build ## Run the tests of the dashboard in Chromium
	@if $(chromium); then npm test --prefix web; else echo 'The browser tests are skipped.'; fi

test-long: $(manifest) ## Run the Go tests that take minutes: contention for 30 s, the quota in real seconds
	BOURSE_TEST_LONG=1 go test ./internal/storetest ./internal/postgres ./internal/ingest -run 'Contend|QuotaReplayed' -count=1 -v -timeout 30m

test-race: $(manifest) ## Run the Go tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -short ./cmd/... ./internal/...

bench: $(manifest) ## Run the benchmarks
	go test ./... -run '^$$' -bench . -benchmem

bench-load: ## Measure loads into PostgreSQL against a plain COPY
	BOURSE_TEST_LOAD=1 go test ./internal/postgres -run TestLoadSpeed -count=1 -v -timeout 30m

bench-telemetry: ## Measure what logs, metrics and traces take of the API's requests
	@tools/debian wrk wrk
	BOURSE_TEST_OVERHEAD=1 go test ./cmd/bourse -run TestOverhead -count=1 -v -timeout 30m

faults: ## Let every source meet every fault, and write docs/faults.md
	go test ./internal/ingest -run TestFaultMatrix -count=1 -timeout 30m -update

fuzz: ## Fuzz each target for FUZZTIME=30s
	@grep -rEo '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' cmd internal | sort | while IFS=: read -r file func; do \
		go test "./$$(dirname "$$file")" -run '^$$' -fuzz "^$${func#func }$$" -fuzztime $(FUZZTIME) </dev/null || exit 1; \
	done

e2e: versions ## Run the HTTP scripts of e2e/ against URL=https://…
	@test -n '$(URL)' || { echo 'Say what to test: make e2e URL=https://bourse.example.com'; exit 2; }
	BOURSE_E2E_URL='$(URL)' go test ./e2e -run TestLive -count=1 -v

e2e-cluster: $(manifest) ## Test on the cluster of BOURSE_TEST_CLUSTER, or what is installed on that of KUBECONFIG=
	BOURSE_TEST_KUBECONFIG='$(abspath $(KUBECONFIG))' go test ./drills -run TestInstall -count=1 -v -timeout 30m

drills: $(manifest) ## Break things on that cluster, under load (see drills/README.md)
	@tools/debian wrk wrk
	@$(prometheus)
	go test ./drills -count=1 -v -timeout 90m

drill-alerts: $(manifest) ## Break things, see which alert tells and when, and write docs/alerts.md
	@tools/debian prometheus prometheus
	@tools/debian prometheus-alertmanager prometheus-alertmanager alertmanager
	BOURSE_TEST_LONG=1 go test ./drills/alerts -count=1 -v -timeout 40m -update

lint: $(installed) ## Check style, imports, types and modules
	go vet ./...
	$(golangci) run
	@for tool in $(sort $(dir $(wildcard tools/*/*.go))); do echo "$$tool" && (cd "$$tool" && go tool -modfile=../go.mod golangci-lint run) || exit 1; done
	go mod verify
	go mod tidy -diff
	npm run check --prefix web

##@ Change
format: versions ## Format the Go sources
	$(golangci) fmt

generate: versions ## Write the generated files again
	go generate ./...
	go -C tools/observability run .
	go -C tools/dashboards run .

clean: ## Remove what the build made; data/ stays
	rm -rf bin web/node_modules internal/web/dist/*

##@ Release
images: $(manifest) ## Build the images into bin/images: IMAGE_REPO=, IMAGE_TAG=, IMAGE_BASE=
	$(make_images)

images-push: $(manifest) ## Build the images and push them to IMAGE_REPO=registry.example.com/bourse
	@test -n '$(IMAGE_REPO)' || { echo 'Say where to: make images-push IMAGE_REPO=registry.example.com/bourse'; exit 2; }
	$(make_images) -push

test-images: $(manifest) ## Build the images twice, compare and inspect them
	cd tools/images && go vet . && go mod tidy -diff && go test . -count=1 -timeout 30m

lambda: versions ## Build bin/ingest-lambda.zip for AWS Lambda: LAMBDA_CERTS=
	go -C tools/lambda run . $(if $(LAMBDA_CERTS),-certs='$(abspath $(LAMBDA_CERTS))')

test-lambda: versions ## Build that package twice, compare and inspect it
	cd tools/lambda && go vet . && go mod tidy -diff && go test . -count=1

# An image is IMAGE_REPO-api:IMAGE_TAG; IMAGE_BASE has a digest, IMAGE_CERTS is a file of
# more certificates to trust, IMAGE_SOURCE the address of the sources.
make_images = go -C tools/images run . $(if $(IMAGE_REPO),-repo='$(IMAGE_REPO)') $(if $(IMAGE_TAG),-tag='$(IMAGE_TAG)') \
	$(if $(IMAGE_BASE),-base='$(IMAGE_BASE)') $(if $(IMAGE_CERTS),-certs='$(abspath $(IMAGE_CERTS))') \
	$(if $(IMAGE_SOURCE),-source='$(IMAGE_SOURCE)')

.PHONY: images images-push test-images lambda test-lambda

##@ Chart
test-chart: $(manifest) ## Lint the Helm chart, and run its tests and those of the policies, alerts and dashboards
	@$(prometheus)
	$(helm) lint --quiet --strict deploy/chart --values deploy/chart/tests/given.yaml
	$(helm_unittest) --strict deploy/chart
	cd tools/chart && go vet . && go mod tidy -diff && go test . -count=1
	cd tools/observability && go vet . && go mod tidy -diff && go test . -count=1
	cd tools/dashboards && go vet . && go mod tidy -diff && go test . -count=1
	go test ./cmd/bourse -run TestDashboards -count=1

helm          := go tool -modfile=tools/chart/go.mod helm
helm_unittest := go tool -modfile=tools/chart/go.mod helm-unittest

.PHONY: test-chart

##@ Kind
kind: ## Install on a cluster in this machine's Docker (see deploy/kind)
	@docker info >/dev/null 2>&1 || { echo 'make kind needs Docker, and it must be running.'; exit 1; }
	@command -v kubectl >/dev/null || { echo 'make kind needs kubectl.'; exit 1; }
	$(kind) get clusters | grep -qx bourse || $(kind) create cluster --config deploy/kind/cluster.yaml --kubeconfig $(kind_config)
	$(kind) export kubeconfig --name bourse --kubeconfig $(kind_config)
	$(MAKE) images IMAGE_TAG=$(kind_tag)
	$(kind) load image-archive --name bourse $(patsubst %,bin/images/%-$(shell go env GOARCH).tar,web api ingest migrate)
	$(kind_kubectl) apply --server-side -f deploy/kind/needs.yaml
	$(kind_kubectl) -n bourse rollout status deployment/postgres --timeout 5m
	$(helm) upgrade --install bourse deploy/chart --kubeconfig $(kind_config) -n bourse --values deploy/chart/values-kind.yaml --set image.tag=$(kind_tag) \
		--set-string secret.databaseURL='postgres://bourse:bourse@postgres:5432/bourse?sslmode=disable' --wait --timeout 5m
	$(helm) test bourse --kubeconfig $(kind_config) -n bourse
	$(kind_kubectl) -n bourse create job ecb-$(kind_tag) --from=cronjob/bourse-ingest-ecb
	@echo; echo 'The rates of the ECB come within a minute. To open http://localhost:8080:'
	@echo '  $(kind_kubectl) -n bourse port-forward service/bourse-web 8080:80'

kind-down: ## Remove that cluster
	$(kind) delete cluster --name bourse --kubeconfig $(kind_config)

kind         := go tool -modfile=tools/kind/go.mod kind
kind_config  := bin/kind.kubeconfig
kind_kubectl := kubectl --kubeconfig $(kind_config)
kind_tag     := $(shell date +%Y%m%d-%H%M%S)# a new one each time, else pods would keep the old image

.PHONY: kind kind-down

##@ Logs
test-logs: ## Run real log lines through the configuration of Fluent Bit, and through a fluent-bit where there is one
	@command -v "$${BOURSE_TEST_FLUENTBIT:-fluent-bit}" >/dev/null || echo 'There is no fluent-bit (BOURSE_TEST_FLUENTBIT can name one): only its parsers are tested.'
	cd tools/fluentbit && go vet . && go mod tidy -diff && go test . -count=1 -timeout 30m

generate-logs: ## Write the forms of deploy/observability/fluent-bit again
	cd tools/fluentbit && go run .

.PHONY: test-logs generate-logs

##@ Terraform
tf-test: ## Format, validate, lint and test all of deploy/terraform, and check its rules
	@command -v terraform >/dev/null || { echo 'make tf-test needs terraform 1.11 or newer.'; exit 2; }
	@[ -n "$$BOURSE_TEST_TFSCHEMA" ] || echo 'BOURSE_TEST_TFSCHEMA is not set: the rules, which need an apply, are skipped.'
	cd tools/terraform && go vet ./... && go mod tidy -diff && go test ./... -count=1 -parallel 2 -skip '^TestDouble' -timeout 30m

tf-double: ## Apply bootstrap, dev and prod to a double of AWS with a real provider, and destroy them to nothing
	@[ "$$BOURSE_TEST_PROVIDERS" ] && [ "$$BOURSE_TEST_AWS" ] || { echo 'make tf-double needs BOURSE_TEST_PROVIDERS and BOURSE_TEST_AWS: see deploy/terraform/README.md.'; exit 2; }
	cd tools/terraform && go test . -count=1 -run '^TestDouble' -parallel 3 -v -timeout 30m

tf-plan: ## Plan ENV=dev|prod from an empty state
	@cd tools/terraform && go run . '$(ENV)'

verify-ingest: $(manifest) ## Let the function of ENV=dev|prod run once, and follow what it brought: SOURCE=ecb
	@command -v terraform >/dev/null || { echo 'make verify-ingest needs terraform, and the state of ENV.'; exit 2; }
	$(go_build) ./cmd/bourse
	@values=$$(terraform -chdir='deploy/terraform/envs/$(ENV)' output -json) || exit 2; \
	value() { printf '%s' "$$values" | node -p "JSON.parse(require('fs').readFileSync(0)).$$1"; }; \
	AWS_REGION=$$(value platform.value.region) exec bin/bourse doctor ingest -function "$$(value ingest.value.function_name)" \
		-api-url "$$(value url.value)" -archive-url "$$(value ingest.value.archive_url)" $(if $(SOURCE),-source '$(SOURCE)')

costs: ## Write docs/costs.md from prices.yaml and the environments
	@[ -n "$$BOURSE_TEST_TFSCHEMA" ] || { echo 'make costs needs BOURSE_TEST_TFSCHEMA: it applies with the stand-in.'; exit 2; }
	cd tools/terraform && go test . -run TestCosts -count=1 -update

alarms: ## Write docs/alarms.md from what CloudWatch's alarms do in normal life and in each fault
	@[ -n "$$BOURSE_TEST_TFSCHEMA" ] || { echo 'make alarms needs BOURSE_TEST_TFSCHEMA: it applies with the stand-in.'; exit 2; }
	cd tools/terraform && go test . -run TestAlarmsFire -count=1 -update

guard: ## Fail where a pinned version is near the end of its support
	@cd tools/terraform && go run ./guard

.PHONY: tf-test tf-double tf-plan verify-ingest costs alarms guard

# What the targets above need.

$(manifest): $(installed) $(web_source)
	npm run build --prefix web
	@touch $@

$(installed): web/package.json web/package-lock.json | versions
	npm ci --prefix web --no-audit --no-fund
	@touch $@

chromium:
	@$(chromium)

chromium   := tools/debian chromium chromium chromium-browser google-chrome
prometheus := tools/debian prometheus promtool || echo 'The tests of the alerts are skipped.'

versions:
	@printf '%s\n' go1.26 "$$(go env GOVERSION 2>/dev/null)" | sort -VC || \
		{ echo "bourse needs Go 1.26 or newer; found: $$(go env GOVERSION 2>/dev/null || echo none)"; exit 1; }
	@printf '%s\n' v20 "$$(node --version 2>/dev/null)" | sort -VC || \
		{ echo "bourse needs Node 20 or newer; found: $$(node --version 2>/dev/null || echo none)"; exit 1; }
