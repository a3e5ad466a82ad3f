"""Bytes as people read them, in one place: the picker and a refusal say the same of one model.

Pure; knows nothing of what is measured.
"""

from __future__ import annotations

_UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "B"))


def size(value: int) -> str:
    """Bytes as people read them: 9.8 MB, 340 MB, 3.1 GB."""
    unit, name = _unit(value)
    return f"{_figure(value / unit, unit)} {name}"


def size_of(part: int, whole: int) -> str:
    """Two sizes in the unit of the second: 1.2 of 3.1 GB."""
    unit, name = _unit(whole)
    return f"{_figure(part / unit, unit) if part else 0} of {_figure(whole / unit, unit)} {name}"


def _unit(value: int) -> tuple[int, str]:
    # From where it would be written as the next unit: 999.6 MB is 1.0 GB.
    return next((u for u in _UNITS if value >= u[0] * 0.9995), _UNITS[-1])


def _figure(value: float, unit: int) -> str:
    return f"{value:.{1 if value < 99.95 and unit > 1 else 0}f}"
