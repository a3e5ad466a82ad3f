"""What several benchmarks share. Nothing here is a benchmark of its own."""
