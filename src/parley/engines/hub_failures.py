"""What the Hub answered, or that it did not, as a person should hear of it.

    gated_no_token  gated_denied  bad_token     who asks may not
    not_found       revision_not_found          there is no such thing
    offline         not_in_cache                the Hub is not there, or is not to be asked
    rate_limited    hub_error                   the Hub is there and does not deliver

Knows nothing of files, of the machine or of models. Imports huggingface_hub's error classes and
nothing heavier.
"""

from __future__ import annotations

from huggingface_hub import constants, get_token
from huggingface_hub.errors import (
    DisabledRepoError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]

from parley.catalog.spec import ModelSpec
from parley.errors import LoadError

# The client's own package, by the names it has had; huggingface_hub does not export its classes.
_CLIENTS = ("httpx", "httpx2", "httpcore", "httpcore2")

# What says nothing about a model: the Hub was not there to tell, or not now.
COULD_NOT_ASK = frozenset({"offline", "rate_limited", "hub_error"})


class CutShort(Exception):
    """An answer that ended in good order, before all of it had come."""


def is_network_error(error: BaseException) -> bool:
    """Whether the connection failed, as opposed to an answer that says no."""
    if isinstance(error, HfHubHTTPError):
        return False
    if isinstance(error, CutShort):
        return True
    return type(error).__module__.split(".")[0] in _CLIENTS


def wait_asked_for(error: BaseException) -> int | None:
    """The seconds the Hub wants to be left alone, where it said so."""
    if not isinstance(error, HfHubHTTPError) or error.response.status_code not in (429, 503):
        return None
    headers = error.response.headers
    limit = parse_ratelimit_headers(headers)
    if limit is not None and limit.remaining == 0:
        return limit.reset_in_seconds
    said = str(headers.get("retry-after", "")).strip()
    return int(said) if said.isdigit() else None


def hub_error(spec: ModelSpec, error: BaseException) -> LoadError | None:
    """``error`` in words, None where it is not about the Hub. What huggingface_hub wraps is named
    by what is inside, so its wrappers are None as well."""
    # GatedRepoError is a RepositoryNotFoundError, and all of them are HfHubHTTPErrors: the order
    # matters.
    if isinstance(error, GatedRepoError):
        return gated(spec, error.server_message or "")
    if isinstance(error, RevisionNotFoundError):
        return revision_not_found(spec)
    if isinstance(error, DisabledRepoError):
        return LoadError(
            "not_found",
            f"The Hub has closed {spec.repo} for everybody.",
            f"Read https://huggingface.co/{spec.repo} for the reason, or pick another model.",
        )
    if isinstance(error, RemoteEntryNotFoundError):
        return LoadError(
            "not_found",
            f"A file of {spec.name} is listed at the Hub but not there.",
            f"See https://huggingface.co/{spec.repo} for what it offers, then press Retry.",
        )
    if isinstance(error, RepositoryNotFoundError | HFValidationError):
        return no_repository(spec)
    if isinstance(error, HfHubHTTPError):
        return _by_status(spec, error)
    if isinstance(error, OfflineModeIsEnabled):
        return not_in_cache(spec)
    if isinstance(error, FileMetadataError):
        return LoadError(
            "hub_error",
            f"{constants.ENDPOINT} does not answer as the Hub does, so {spec.name} could not be "
            "downloaded.",
            "Check HF_ENDPOINT and the proxy, then press Retry.",
        )
    if isinstance(error, LocalEntryNotFoundError):
        return offline(spec) if error.__cause__ is None else None
    return offline(spec) if is_network_error(error) else None


def gated(spec: ModelSpec, said: str = "") -> LoadError:
    """``said`` is the Hub's own explanation: it tells a request that waits from one never made."""
    page = f"https://huggingface.co/{spec.repo}"
    if get_token() is None:
        return LoadError(
            "gated_no_token",
            f"{spec.name} is gated: its authors want to know who downloads it.",
            f"Accept the conditions at {page} and start Parley with HF_TOKEN set to a token of "
            "that account, from https://huggingface.co/settings/tokens on the Hub.",
        )
    if "awaiting" in said.lower():
        return LoadError(
            "gated_denied",
            f"The request for access to {spec.name} still waits for its authors.",
            "See https://huggingface.co/settings/gated-repos for how it stands, and press Retry "
            "once it is granted.",
        )
    return LoadError(
        "gated_denied",
        f"The account of your Hugging Face token has no access to {spec.name} yet.",
        f"Accept the conditions at {page} with that account, then press Retry.",
    )


def no_repository(spec: ModelSpec) -> LoadError:
    search = f"https://huggingface.co/models?search={(spec.repo or '').rpartition('/')[2]}"
    return LoadError(
        "not_found",
        f"{spec.name} was not found: there is no model {spec.repo} on the Hub, or it is private.",
        f"Look for it at {search} and correct repo in models.yaml, or set HF_TOKEN to a token "
        "that may read it.",
    )


def revision_not_found(spec: ModelSpec) -> LoadError:
    return LoadError(
        "revision_not_found",
        f"{spec.name} was not found: {spec.repo} has no revision {spec.revision}.",
        f"Choose one from https://huggingface.co/{spec.repo}/commits/main and correct revision in "
        "models.yaml.",
    )


def offline(spec: ModelSpec) -> LoadError:
    return LoadError(
        "offline",
        f"{spec.name} is not completely on this machine and the Hub cannot be reached.",
        f"Check that {constants.ENDPOINT} can be opened from here and press Retry, or pick a "
        "model that is already on this machine.",
    )


def not_in_cache(spec: ModelSpec) -> LoadError:
    return LoadError(
        "not_in_cache",
        f"{spec.name} is not completely on this machine, and HF_HUB_OFFLINE forbids fetching it.",
        "Start Parley without HF_HUB_OFFLINE, so that it can be downloaded from "
        f"https://huggingface.co/{spec.repo} once, or pick a model that is already here.",
    )


def _by_status(spec: ModelSpec, error: HfHubHTTPError) -> LoadError:
    status = error.response.status_code
    if status == 401 and get_token() is None:
        return no_repository(spec)
    if status == 401:
        return LoadError(
            "bad_token",
            "The Hub does not know the Hugging Face token that is set here.",
            "Make a new one at https://huggingface.co/settings/tokens and start Parley with "
            "HF_TOKEN set to it; without any token, models that are not gated can be had.",
        )
    if status == 403:
        return LoadError(
            "gated_denied",
            f"Your Hugging Face token is not allowed to read {spec.repo}.",
            "Give it access to gated models at https://huggingface.co/settings/tokens and press "
            "Retry.",
        )
    if status == 429:
        wait = wait_asked_for(error)
        when = "in a few minutes" if wait is None else f"in {_duration(wait)}"
        advice = ""
        if get_token() is None:
            advice = (
                " With HF_TOKEN set to a token from https://huggingface.co/settings/tokens more "
                "requests are allowed."
            )
        return LoadError(
            "rate_limited",
            f"The Hub has had too many requests from here, so {spec.name} has to wait.",
            f"Press Retry {when}.{advice}",
        )
    return LoadError(
        "hub_error",
        f"The Hub could not deliver {spec.repo} (HTTP {status}).",
        "Press Retry in a while; https://status.huggingface.co shows whether it is at work.",
    )


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} min"
