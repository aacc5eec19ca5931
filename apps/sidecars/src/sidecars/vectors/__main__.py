"""python -m sidecars.vectors --port P --dir D"""

import argparse
from pathlib import Path

from sidecars.server import (
    StartError,
    add_server_arguments,
    bind_loopback,
    exit_with_start_error,
    parse_server_options,
    serve,
)
from sidecars.vectors.app import create_vectors_app
from sidecars.vectors.store import CollectionStore


def main() -> None:
    parser = argparse.ArgumentParser(prog="sidecars.vectors", description="Qdrant's engine over REST.")
    add_server_arguments(parser)
    parser.add_argument("--dir", type=Path, required=True, help="where the collections are kept; held by one process")
    arguments = parser.parse_args()
    try:
        options = parse_server_options(arguments)
        sock = bind_loopback(options.port)
        store = CollectionStore(arguments.dir)
    except StartError as error:
        exit_with_start_error(parser.prog, error)
    try:
        serve(create_vectors_app(store, options.api_key), sock, options)
    finally:
        store.close()


if __name__ == "__main__":
    main()
