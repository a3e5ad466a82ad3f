"""Why a model could not be loaded: foreign exceptions into codes, a sentence and a fix.

What the Hub answered is put into words in ``hub_failures``. Knows nothing of how loading works.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from parley.catalog.spec import ModelSpec
from parley.engines.hub_failures import hub_error
from parley.errors import GenerationError, LoadError, ParleyError
from parley.sizes import size

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
        else "Convert it at https://huggingface.co/spaces/safetensors/convert first, or pick a "
        "model that has safetensors.",
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
        else f"Delete it from the cache (hf cache rm model/{spec.repo}), so that it is downloaded "
        "afresh, and press Retry.",
    )


def damaged_on_the_way(spec: ModelSpec, name: str) -> LoadError:
    return LoadError(
        "corrupt_weights",
        f"{name} of {spec.name} did not arrive as the Hub describes it, so it was thrown away.",
        "Press Retry; if it happens again, something between here and "
        f"https://huggingface.co/{spec.repo} changes what is downloaded.",
    )


def disk_full(spec: ModelSpec, needed: int | None = None, free: int = 0) -> LoadError:
    """``needed`` is how many bytes were still to come, None where the disk filled up on the way."""
    return LoadError(
        "disk_full",
        f"The disk is full, so {spec.name} could not be downloaded."
        if needed is None
        else f"{spec.name} needs {size(needed)} more on the disk, and {size(free)} can be "
        "used: a little is kept for everything else.",
        "Free some space (see https://huggingface.co/docs/huggingface_hub/guides/manage-cache for "
        "models that can go), or start Parley with HF_HOME set to a folder on a larger disk.",
    )


def not_permitted(spec: ModelSpec, path: str) -> LoadError:
    return LoadError(
        "not_permitted",
        f"The files of {spec.name} may not be read or written where they belong"
        + (f" ({path})." if path else "."),
        "Give the user that runs Parley the right to read them."
        if spec.path
        else "Give the user that runs Parley the right to, or start Parley with HF_HOME set to a "
        "folder of its own.",
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
        known = hub_error(spec, cause) or _machine_error(spec, cause)
        if known is not None:
            return known
    return _model_error(spec, error)


def _machine_error(spec: ModelSpec, error: BaseException) -> LoadError | None:
    if is_out_of_memory(error):
        return LoadError(
            "oom_load",
            f"{spec.name} does not fit into the memory that is free.",
            "Unload another model, or pick a smaller one.",
        )
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or "No space left" in str(error):  # the latter is how hf_xet says it
        return disk_full(spec)
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return not_permitted(spec, str(error.filename or ""))
    if isinstance(error, ImportError):
        return missing_dependency(spec, error.name or "a package")
    if type(error).__name__ in ("SafetensorError", "SafetensorsParsingError"):
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


def _chain(error: BaseException) -> Iterator[BaseException]:
    """``error`` and its causes, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        # Not __context__: libraries probe for optional packages, and those misses explain nothing.
        current = current.__cause__


def answer_error(spec: ModelSpec, error: Exception) -> ParleyError:
    """What ``error``, raised while ``spec`` answered, means to a person."""
    if isinstance(error, ParleyError):
        return error
    if is_out_of_memory(error):
        return GenerationError(
            "oom_generate",
            f"{spec.name} ran out of memory while answering.",
            "Start a new chat or shorten the conversation, then press Retry.",
        )
    return GenerationError(
        "internal",
        f"{spec.name} failed while answering ({type(error).__name__}).",
        "Press Retry; if it happens again, the log has the details.",
    )
