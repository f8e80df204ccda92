"""The memory of a process in which native code reads a file that may be a bomb."""

from __future__ import annotations


def limit_memory(most: int) -> None:
    """Let this process take at most so many bytes; where the system knows no such limit (Windows), nothing."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (ImportError, ValueError, OSError):
        pass
