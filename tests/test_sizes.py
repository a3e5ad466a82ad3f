"""Bytes in words."""

import pytest

from parley import sizes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_500_000_000_000, "1.5 TB"),
        (3_100_000_000, "3.1 GB"),
        (340_000_000, "340 MB"),
        (9_840_000, "9.8 MB"),
        (999_960_000, "1.0 GB"),
        (12, "12 B"),
        (0, "0 B"),
    ],
)
def test_sizes(value, text):
    assert sizes.size(value) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (1_200_000_000, 3_100_000_000, "1.2 of 3.1 GB"),
        (40_000_000, 3_100_000_000, "0.0 of 3.1 GB"),
        (4_000_000, 340_000_000, "4.0 of 340 MB"),
        (0, 12_800_000_000, "0 of 12.8 GB"),
    ],
)
def test_a_part_is_said_in_the_unit_of_the_whole(part, whole, text):
    assert sizes.size_of(part, whole) == text
