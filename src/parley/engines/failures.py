"""Why a model could not be loaded: foreign exceptions into codes, a sentence and a fix.

Knows nothing of how loading works. Imports huggingface_hub's error classes and nothing heavier.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    IncompleteSnapshotError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from parley.catalog.spec import ModelSpec
from parley.errors import LoadError

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad alloc")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on a device or on the host."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(w in str(error).lower() for w in _NO_MEMORY)


def no_safetensors(spec: ModelSpec) -> LoadError:
    return LoadError(
        "no_safetensors",
        f"{spec.name} offers its weights only in a format that can run code when it is opened "
        "(.bin), so it was not loaded.",
        "Save it again with save_pretrained, which writes safetensors, or pick another model."
        if spec.path
        else "Convert it to safetensors (huggingface.co/spaces/safetensors/convert), "
        "or pick a model that has them.",
    )


def no_weights(spec: ModelSpec) -> LoadError:
    return LoadError(
        "not_found",
        f"There are no weights for {spec.name} at {spec.source}.",
        "Check repo or path in models.yaml.",
    )


def not_found(spec: ModelSpec, what: str) -> LoadError:
    return LoadError(
        "not_found", f"{spec.name} was not found: {what}.", "Check repo or path in models.yaml."
    )


def needs_remote_code(spec: ModelSpec) -> LoadError:
    return LoadError(
        "needs_remote_code",
        f"{spec.name} can only be loaded by running code from its repository, "
        "which Parley never does.",
        "Pick another model, or serve this one with an engine of its own.",
    )


def unsupported_arch(spec: ModelSpec, architecture: str) -> LoadError:
    return LoadError(
        "unsupported_arch",
        f"{spec.name} is a {architecture} model, which the installed transformers library "
        "cannot run as a chat model.",
        "Update transformers, or pick another model.",
    )


def corrupt(spec: ModelSpec, what: str) -> LoadError:
    return LoadError(
        "corrupt_weights",
        f"The files of {spec.name} are damaged: {what}.",
        "Restore the files in its folder, then press Retry."
        if spec.path
        else "Delete its folder from the cache, so that it is downloaded afresh, and press Retry.",
    )


def missing_dependency(spec: ModelSpec, package: str) -> LoadError:
    return LoadError(
        "missing_dependency",
        f"{spec.name} needs {package}, which is not installed.",
        "Install it where Parley runs, or pick another model.",
    )


def load_error(spec: ModelSpec, error: BaseException) -> LoadError:
    """What ``error``, raised while loading ``spec``, means to a person."""
    if isinstance(error, LoadError):
        return error
    for cause in _chain(error):
        known = _hub_error(spec, cause) or _machine_error(spec, cause)
        if known is not None:
            return known
    return _model_error(spec, error)


def _hub_error(spec: ModelSpec, error: BaseException) -> LoadError | None:
    # GatedRepoError is a RepositoryNotFoundError: the order matters.
    if isinstance(error, GatedRepoError):
        if _has_token():
            return LoadError(
                "gated_denied",
                f"The account of your Hugging Face token has no access to {spec.name} yet.",
                f"Accept the conditions at https://huggingface.co/{spec.repo}, then press Retry.",
            )
        return LoadError(
            "gated_no_token",
            f"{spec.name} is gated: its authors want to know who downloads it.",
            f"Accept the conditions at https://huggingface.co/{spec.repo} and set HF_TOKEN to a "
            "token of that account.",
        )
    if isinstance(error, RevisionNotFoundError):
        return not_found(spec, f"{spec.repo} has no revision {spec.revision}")
    if isinstance(error, RepositoryNotFoundError | HFValidationError):
        return not_found(spec, f"there is no model {spec.repo} on the Hub, or it is private")
    if isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 403):
        return LoadError(
            "gated_denied",
            f"The Hub refused access to {spec.repo}.",
            "Check that HF_TOKEN is valid and may read this model.",
        )
    if isinstance(error, IncompleteSnapshotError | LocalEntryNotFoundError | OfflineModeIsEnabled):
        return offline(spec)
    if isinstance(error, HfHubHTTPError):
        return LoadError(
            "offline",
            f"The Hub could not deliver {spec.repo} (HTTP {error.response.status_code}).",
            "Try again in a while.",
        )
    if type(error).__module__.split(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2"):
        return offline(spec)
    return None


def offline(spec: ModelSpec) -> LoadError:
    return LoadError(
        "offline",
        f"{spec.name} is not completely on this machine and the Hub cannot be reached.",
        "Connect to the internet (and unset HF_HUB_OFFLINE), or pick a model that is already here.",
    )


def _machine_error(spec: ModelSpec, error: BaseException) -> LoadError | None:
    if is_out_of_memory(error):
        return LoadError(
            "oom_load",
            f"{spec.name} does not fit into the memory that is free.",
            "Unload another model, or pick a smaller one.",
        )
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or "No space left" in str(error):  # the latter is how hf_xet says it
        return LoadError(
            "disk_full",
            f"The disk is full, so {spec.name} could not be downloaded.",
            "Free some space, or set HF_HOME to a folder on a larger disk.",
        )
    if isinstance(error, ImportError):
        return missing_dependency(spec, error.name or "a package")
    if type(error).__name__ == "SafetensorError":
        return corrupt(spec, "a weights file is incomplete or not a safetensors file")
    return None


def _model_error(spec: ModelSpec, error: BaseException) -> LoadError:
    text = str(error)
    if "trust_remote_code" in text:
        return needs_remote_code(spec)
    if "Unrecognized" in text:
        return unsupported_arch(spec, "new or unknown")
    if "JSON" in type(error).__name__ or "not a valid JSON" in text:
        return corrupt(spec, "a configuration file is not readable")
    first = text.strip().splitlines()[0] if text.strip() else "no details"
    return LoadError(
        "internal",
        f"{spec.name} could not be loaded ({type(error).__name__}: {first[:200]}).",
        "Press Retry; if it happens again, the log has the details.",
    )


def _has_token() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """``error`` and its causes, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        # Not __context__: libraries probe for optional packages, and those misses explain nothing.
        current = current.__cause__
