"""Benchmarks of single parts, on public data."""
