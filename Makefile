# Everything here works from a fresh clone: each target does its own set-up first, and quickly so the second time.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

VENV := .venv/.complete
DOCS := .cache/docs/.complete
INVENTORY ?= inventories/demo
# Parts of `make test`, and the molecule scenarios of `make molecule`: by default all but those of `make test-ee` and `make test-numa`.
PARTS ?= lint unit molecule
SCENARIOS ?= $(filter-out awx numa,$(patsubst molecule/%/molecule.yml,%,$(wildcard molecule/*/molecule.yml)))
# Workers of `make unit`: more than two cores have to do, because half of the time tests wait for the programs that they started.
WORKERS ?= 4

.PHONY: help setup demo demo-down artifact release test quick test-numa test-ee lint unit coverage molecule bench-numa bench-nats-start bench-site bench-upgrade \
  pictures docs compat compat-demo clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV) ## Install what everything else needs (system packages with root's rights, .venv, the packed fakes)
	@python tests/fakes/pack.py
	@python tests/other_versions.py

$(VENV): requirements.txt requirements-dev.txt tests/setup.sh
	@tests/setup.sh

$(DOCS): tools/docs/requirements.txt | $(VENV)
	@[ -x .cache/docs/bin/python ] || python -m venv .cache/docs
	@.cache/docs/bin/python -m pip install --quiet --disable-pip-version-check --requirement tools/docs/requirements.txt
	@touch $(DOCS)

demo: setup ## Bring up the tutorial's seven servers in local containers and deploy the cluster on them
	@echo "demo: creating seven hosts (the first time with their image, about a minute)"
	@ansible-playbook -i $(INVENTORY) tests/hosts/create.yml
	@echo "demo: deploying the cluster as on real servers: ansible-playbook -i $(INVENTORY) site.yml"
	@ansible-playbook -i $(INVENTORY) site.yml
	@echo "demo: the cluster runs. Look at a host: docker exec -it autonomys-node-1 supervisorctl status. Remove all: make demo-down"

demo-down: $(VENV) ## Remove the demo's hosts with their network and disks
	@ansible-playbook -i $(INVENTORY) tests/hosts/destroy.yml

test: setup ## Run all checks and tests (lint, unit, molecule) and say how long each took
	@python tests/run.py parts $(PARTS)

artifact: setup ## Build the collection's artifact into build/artifact, the same bytes for the same commit
	@python tools/artifact.py build/artifact

release: setup ## Test, build and tag a release, and push nothing: VERSION=0.2.0 (PARTS= where the commit was tested)
	@python tools/release.py --check "$(VERSION)"
	@$(if $(PARTS),python tests/run.py parts $(PARTS))
	@python tools/release.py "$(VERSION)"

lint: setup ## Run ansible-lint, yamllint, ruff, mypy, ansible-test sanity, and the importer of Ansible Galaxy over the artifact
	@python tests/run.py lint

quick: setup ## Lint what differs from the branch main, and run the unit tests without browser and daemons: two minutes (BASE=origin/main)
	@python tests/quick.py

unit: setup ## Run the tests that need no hosts
	@command -v chromium >/dev/null || tests/setup.sh chromium chromium fonts-dejavu-core
	@command -v promtool >/dev/null || tests/setup.sh promtool prometheus
	@echo "unit: pytest over tests/integration and tests/unit"
	@python -m pytest -q --numprocesses $(WORKERS) --no-loadscope-reorder

coverage: setup ## Run the tests of make unit with coverage of module_utils and plugin_utils (twice their time), at least 95 % of lines and branches
	@command -v chromium >/dev/null || tests/setup.sh chromium chromium fonts-dejavu-core
	@rm -rf build/coverage
	@python -m pytest -q --numprocesses $(WORKERS) --no-loadscope-reorder --cov --cov-report=
	@coverage report

molecule: setup ## Run the molecule scenarios (SCENARIOS="nats node" for some of them)
	@python tests/run.py molecule $(SCENARIOS)

bench-numa: setup ## Compare ways to choose the CPUs of GPUs on all recorded machines (uses hwloc; a wheel of PyTorch where it can be had)
	@command -v hwloc-distrib >/dev/null || tests/setup.sh hwloc-distrib hwloc-nox
	@PYTHONPATH=.ansible/collections python tests/bench/bench_numa.py

bench-nats-start: setup ## Start fresh clusters of NATS servers, a hundred of each minor version and way, and count which need help (as root; half an hour)
	@PYTHONPATH=.ansible/collections python tests/bench/bench_nats_start.py

bench-site: setup ## Compare site.yml that changes nothing with stock modules, pyinfra and pings (HOSTS=21, ROUNDS=5; WHAT=first, WHAT=recorded)
	@python tests/bench/bench_site.py $(WHAT) $(if $(HOSTS),--hosts $(HOSTS)) $(if $(ROUNDS),--rounds $(ROUNDS))

bench-upgrade: setup ## Upgrade a cluster of seven hosts under load, with site.yml and the naive way, and compare what that cost (a quarter of an hour)
	@python tests/bench/bench_upgrade.py

pictures: $(VENV) ## Draw the pictures of docs/numa.md again
	@PYTHONPATH=.ansible/collections python tests/pictures.py

compat: setup ## Try every supported ansible-core and supervisor (tests and syntax; a quarter of an hour)
	@python tests/compat.py

compat-demo: setup ## Deploy the demo's servers from the built artifact, once with each supported ansible-core
	@python tests/compat.py demo

docs: setup $(DOCS) ## Make the documentation's site in build/docs; a warning or a link to nowhere is an error
	@python tools/docs_site.py

test-numa: setup ## Run the molecule scenario numa, on a virtual machine with two NUMA nodes in software (minutes)
	@command -v qemu-system-x86_64 >/dev/null || tests/setup.sh qemu-system-x86_64 qemu-system-x86
	@python tests/run.py molecule numa

test-ee: setup ## Build the execution environment as an image, and run the jobs of molecule's scenario awx in it (minutes)
	@image=$$(python tests/awx/image.py) && AWX_IMAGE=$$image python tests/run.py molecule awx

clean: ## Remove the demo, molecule's hosts, the hosts' image and everything that was built
	@tests/hosts/clean.sh
	@rm -rf .venv .ansible .cache build .ruff_cache .hypothesis
