# Everything a person or CI does here. The environment lives in .venv and is made on first use; it
# is touched again only when a requirements file has changed.

VENV := .venv
PYTHON := $(VENV)/bin/python

.PHONY: run test check bench soak shots clean
.DEFAULT_GOAL := run

# make run ARGS="--port 8000 --models mine.yaml"
run: $(VENV)/.run
	$(PYTHON) app.py $(ARGS)

# make test ARGS="tests/chats -x"
test: $(VENV)/.dev
	$(PYTHON) -m pytest $(ARGS)

check: $(VENV)/.dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

bench: $(VENV)/.dev
	@for file in benchmarks/*.py; do echo "== $$file"; $(PYTHON) "$$file" $(ARGS) || exit 1; done

# make soak ARGS="--minutes 2"
soak: $(VENV)/.dev
	$(PYTHON) benchmarks/soak.py $(ARGS)

shots: $(VENV)/.dev
	$(PYTHON) -m tests.ui.shots $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# The person's own python3 comes first; the others are for machines where it is an old one. A name
# may be there and not work (a version manager's placeholder), so each is asked.
$(PYTHON):
	@set -e; \
	for python in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "Making $(VENV) with $$("$$python" --version)"; \
	    if ! "$$python" -m venv --clear $(VENV); then \
	      rm -rf $(VENV); \
	      echo "This Python cannot make a virtual environment." >&2; \
	      echo "On Debian or Ubuntu, install its package python3-venv; then run make again." >&2; \
	      exit 1; \
	    fi; \
	    exit 0; \
	  fi; \
	done; \
	echo "Parley needs Python 3.11 or later, and none was found." >&2; \
	echo "Install one, make sure that it is on the PATH, and run make again." >&2; \
	exit 1

# The .pth file lets this Python import parley from src, also for `python -m parley`.
$(VENV)/.run: requirements.txt | $(PYTHON)
	$(PYTHON) -m pip install --disable-pip-version-check -r requirements.txt
	@$(PYTHON) -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "parley.pth").write_text(str(pathlib.Path("src").resolve()))'
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(PYTHON) -m pip install --disable-pip-version-check -r requirements-dev.txt
	@touch $@
