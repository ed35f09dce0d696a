"""llama.cpp's server with the command line of its own `llama-server`, out of the PyPI module `xllamacpp`.

Only the flags that pod/entrypoint.sh uses. The module is found through PYTHONPATH.
"""

import argparse
import os
import signal
import sys

import xllamacpp


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="llama-server", description="Serves one .gguf model by OpenAI's API.")
    parser.add_argument("-m", "--model", required=True, help="the .gguf file")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("-a", "--alias", help="name of the model in the API")
    parser.add_argument("-np", "--parallel", type=int, default=1, help="requests served at once")
    parser.add_argument("-c", "--ctx-size", type=int, default=0, help="tokens, shared by all requests; 0: the model's own")
    parser.add_argument("-t", "--threads", type=int, default=processors(), help="of one answer's computation")
    parser.add_argument("-n", "--predict", type=int, default=-1, help="most tokens of an answer; -1: no limit")
    parser.add_argument("--temp", type=float, default=0.8, help="temperature; 0 always takes the likeliest token")
    return parser.parse_args()


def processors() -> int:
    """Those this process may use: llama.cpp's own default counts the machine's, and crawls where they are fewer."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parameters(args: argparse.Namespace) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = args.model
    params.hostnames = [args.host]
    params.port = args.port
    params.n_parallel = args.parallel
    params.n_ctx = args.ctx_size
    params.cpuparams.n_threads = args.threads
    params.n_predict = args.predict
    params.sampling.temp = args.temp
    if args.alias:
        params.model_alias = {args.alias}
    return params


def main() -> None:
    args = arguments()
    if not os.path.isfile(args.model):
        sys.exit(f"llama-server: no such model file: {args.model}")
    # The server runs in native threads: a Python handler would wait for them, the system's default does not.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    server = xllamacpp.Server(parameters(args))
    print(f"llama-server: {args.model} on {server.listening_address}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
