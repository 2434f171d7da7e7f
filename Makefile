# Polysession. `make` lists the commands.
SHELL := /bin/bash
PYTHON := .venv/bin/python
UV := .venv/bin/uv
EXPORT := $(UV) export --quiet --no-header --no-annotate --no-emit-workspace

.PHONY: help install up down reset status logs demo admin test test-full check bench bench-growth images kind-up kind-test kind-test-full kind-down requirements openapi terraform-check charts

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

install: ## what is missing on this machine: Debian packages, .venv, the built shell
	@local/install.sh

up: install ## the whole platform on 127.0.0.1; prints where to look
	@$(PYTHON) -m local up

down: ## stops exactly what `up` started, keeps the data
	@$(PYTHON) -m local down

reset: ## stops, and deletes the data and secrets of `up`
	@$(PYTHON) -m local reset

status: ## what runs
	@$(PYTHON) -m local status

logs: ## the last lines of every part; PART=users for one
	@$(PYTHON) -m local logs $(PART)

demo: ## one story through the running platform, hop by hop; REPEAT=20 repeats it
	@$(PYTHON) -m local demo $(if $(REPEAT),--repeat $(REPEAT))

admin: ## somebody who may sign in at the admin; asks for name, email and password
	@$(PYTHON) -m local manage createsuperuser

check: install ## linters, types, arrows between packages
	@$(PYTHON) -m tests.run check

test: install ## everything, on free ports of its own; ONLY="polysession platform" for some
	@$(PYTHON) -m tests.run $(ONLY)

test-full: install ## `make test` with nothing bounded: deeper models, other engines whole, 2,400 sign-ins, growth; about 45 minutes
	@$(PYTHON) -m tests.run full

bench: install ## ratios to a bare client and to the stock stacks, on a Redis Cluster of its own
	@$(PYTHON) -m tests.run bench

bench-growth: install ## how cost grows: 1,000 to 1,000,000 sessions side by side, 1 to 100 of a principal; about four minutes
	@$(PYTHON) -m tests.run growth

images: ## users, orders, shell and tools, for containers; VERSION=0.1.0
	@docker buildx bake --progress quiet
	@docker image ls --format '{{.Repository}}:{{.Tag}}\t{{.Size}}' 'polysession/*' | expand -t 32

kind-up: install ## the platform on a cluster of kind's, at http://127.0.0.1:8480; needs docker, kind, kubectl, helm
	@$(PYTHON) -m tests.cluster up

kind-test: install ## what every landing proves on that cluster, in at most 30 minutes
	@$(PYTHON) -m tests.cluster test

kind-test-full: install ## what a chart release proves on that cluster, in at most 75 minutes; ONLY="resize rotation" for some
	@$(PYTHON) -m tests.cluster test-full $(ONLY)

kind-down: install ## removes the cluster
	@$(PYTHON) -m tests.cluster down

requirements: ## the hashed requirements, from the pins in the pyproject files
	$(UV) lock --quiet --upgrade
	$(EXPORT) --all-packages --all-groups -o requirements-dev.txt >/dev/null
	$(EXPORT) --only-group wheels -o requirements-wheels.txt >/dev/null
	for member in services/django-users services/flask-orders packages/operations; do \
	  $(EXPORT) --no-dev --package $$(basename $$member) -o $$member/requirements.txt >/dev/null; done

terraform-check: install ## infra/terraform: formatted, parsed, validated where the providers can be had
	@$(PYTHON) -m tests.run terraform

charts: ## schema and README of each chart, from its values
	@$(PYTHON) charts/generate.py

openapi: ## the OpenAPI documents and the shell's types, from the services' code
	@WRITE_OPENAPI=1 $(PYTHON) -m pytest tests/contract/test_generated.py
	@cd web/react-shell && PATH="$(CURDIR)/.venv/bin:$$PATH" npm run types
