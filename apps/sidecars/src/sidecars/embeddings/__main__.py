"""python -m sidecars.embeddings --port P --model packaged|DIR"""

import argparse

from sidecars.server import (
    StartError,
    add_server_arguments,
    bind_loopback,
    exit_with_start_error,
    parse_server_options,
    serve,
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="sidecars.embeddings", description="OpenAI-compatible embeddings.")
    add_server_arguments(parser)
    parser.add_argument("--model", default="packaged", help="a model directory, or `packaged` for all-MiniLM-L6-v2")
    parser.add_argument("--threads", type=int, default=2, help="threads for the arithmetic")
    arguments = parser.parse_args()
    try:
        options = parse_server_options(arguments)
        sock = bind_loopback(options.port)
        # Only now: torch takes seconds to import, and a wrong port or key should not.
        from sidecars.embeddings.app import create_embeddings_app  # noqa: PLC0415
        from sidecars.embeddings.model import load_embedding_model  # noqa: PLC0415

        model = load_embedding_model(arguments.model, arguments.threads)
    except StartError as error:
        exit_with_start_error(parser.prog, error)
    serve(create_embeddings_app(model, options.api_key), sock, options)


if __name__ == "__main__":
    main()
