# Everything a person runs here. Needs git, make, Node 20 or later, Python 3 and Go: the rest (npm packages, Node 24,
# etcd, Temporal, an S3 server) it fetches or builds by itself, once.

NODE := node_modules/.bin/node
INSTALLED := node_modules/.package-lock.json
DEMO_BINARIES := temporal etcd etcdctl etcdutl versitygw
KUBERNETES_BINARIES := kube-apiserver kubectl

# Children that call `node` get the pinned one.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench clean

help: ## This list
	@echo 'make <target>:'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(INSTALLED) ## Install the npm packages and fetch the third-party binaries that the demo and most tests use
	@$(NODE) tools/provide.ts $(DEMO_BINARIES)

demo: $(INSTALLED) ## Back up, break, restore and prove a small control plane; KUBERNETES=1 adds real kube-apiservers (builds them: ~9 min the first time)
	@$(NODE) tools/provide.ts $(DEMO_BINARIES) $(if $(KUBERNETES),$(KUBERNETES_BINARIES))
	@$(NODE) playground/demo.ts $(if $(KUBERNETES),--kubernetes yes) $(ARGS)

test: $(INSTALLED) ## Lint, types, format and every test; ARGS="--only unit" or ARGS=test/unit/domain/input.test.ts runs a part
	@$(NODE) test/run.ts $(ARGS)

lint: $(INSTALLED) ## Lint, types and format only
	@$(NODE) test/run.ts --only checks

bench: $(INSTALLED) ## Measure against what one would use instead; takes minutes
	@$(NODE) tools/provide.ts $(DEMO_BINARIES)
	@$(NODE) bench/run.ts $(ARGS)

clean: ## Remove the npm packages and what was compiled; fetched binaries stay in the user's cache
	rm -rf node_modules dist

# npm writes this file last, so an installation that was interrupted is done again. npm refuses to run the
# install script of `node` where scripts are switched off; then it is asked for by name.
$(INSTALLED): package-lock.json
	@command -v npm >/dev/null || { echo 'make: npm is missing; install Node 20 or later first' >&2; exit 1; }
	@echo 'Installing the npm packages (about half a minute) ...'
	@npm ci --loglevel=error --no-audit --no-fund
	@$(NODE) --version >/dev/null 2>&1 || npm rebuild node --ignore-scripts=false --loglevel=error
	@$(NODE) --version >/dev/null || { echo 'make: npm did not install Node 24; see CONTRIBUTING.md, "When Node is missing"' >&2; exit 1; }
	@touch $@
