"""`python -m trainer --config config.json`. Exit code 0: finished, or stopped when asked to; 1: one `failed` event."""

import argparse
import fcntl
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from trainer import events
from trainer.config import TrainerConfig, load_config
from trainer.failure import TrainerError, classify
from trainer.stop import StopRequest

_LOCK_WAIT_SECONDS = 60


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="trainer", description="Fine-tunes a causal language model.")
    parser.add_argument("--config", type=Path, required=True, help="JSON, see trainer/config.py")
    options = parser.parse_args(arguments)

    # Whatever a library prints goes to stderr: stdout carries events and nothing else.
    stream = os.dup(1)
    os.dup2(2, 1)
    stop = StopRequest()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.request())
    emitter = events.Emitter(stream, stop.request)
    try:
        config = load_config(options.config)
        _open_output(config, emitter)
        _run(config, emitter, stop)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        failure = classify(error)
        emitter.emit(events.Failed(code=failure.code, message=failure.message, action=failure.action))
        return 1
    finally:
        emitter.close()
    return 0


def _open_output(config: TrainerConfig, emitter: events.Emitter) -> None:
    folder = Path(config.output_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _lock(folder, emitter)
        emitter.open(folder / "events.ndjson")
    except OSError as error:
        failure = classify(error)
        if failure.code == "DISK_FULL":
            raise failure from error
        raise TrainerError(
            "INVALID_INPUT",
            f"The output folder {folder} cannot be written: {error.strerror}.",
            "Choose an outputDir that this user may write to.",
        ) from error


def _lock(folder: Path, emitter: events.Emitter) -> None:
    """One trainer a folder: one that outlived its parent may still be saving. The lock ends with the process."""
    fd = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + _LOCK_WAIT_SECONDS
    waiting = False
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise TrainerError(
                    "INVALID_INPUT",
                    f"Another trainer is writing to {folder}.",
                    "Wait for it, stop it, or choose another outputDir.",
                ) from error
        if not waiting:
            waiting = True
            emitter.emit(events.Log(level="info", message="Waiting for an earlier trainer to leave the output folder."))
        time.sleep(0.2)


def _run(config: TrainerConfig, emitter: events.Emitter, stop: StopRequest) -> None:
    # Before the libraries read it. Nothing is fetched unless somebody sets it to 0 on purpose.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads that wait by spinning take the core that the others need: on two busy cores 10 tokens/s instead of 150.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A compiled kernel for every new batch shape, 1,024 of them by default, lies scattered in the heap and keeps what
    # was freed around it resident: 1.6 GiB and growing instead of 1.0, and no faster.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    os.environ.setdefault("LRU_CACHE_CAPACITY", "64")
    # Seconds of imports: a wrong config is told before them.
    from transformers.utils import logging

    from trainer.training import train

    logging.disable_progress_bar()
    train(config, emitter.emit, stop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
