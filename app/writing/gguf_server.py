"""A llama.cpp server for one GGUF file on the loopback address: ``python gguf_server.py FILE TOKENS [THREADS]``.

Run as a file, never as a module: a folder "app" where the user stands must not be taken for ours. Prints its address, then serves until its standard input is closed, so that it never outlives who started it.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Serve; a file that llama.cpp can't load ends the process before an address is printed."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.n_ctx = int(sys.argv[2])
    params.n_parallel = 1
    params.warmup = False
    params.ui = False
    if len(sys.argv) > 3:
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(sys.argv[3])
    params.n_threads_http = 4
    params.verbosity = 0
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
