"""Downloads a model of the Hugging Face Hub into a folder: configuration, tokenizer and safetensors, nothing that runs.

    python download_model.py ID OUTPUT_DIR

Prints JSON lines: {"done", "total"} in bytes while it works; where it fails, {"code", "message", "action"} and ends
with 1. The same command again goes on where it stopped. HF_TOKEN and HF_ENDPOINT are the Hub's own settings.
"""

import errno
import json
import os
import sys
import threading
from pathlib import Path

# Files come over plain HTTP, resumable and visible in the folder while they grow.
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
)

WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken"]
PROGRESS_SECONDS = 5


class Refusal(Exception):
    def __init__(self, code: str, message: str, action: str):
        super().__init__(message)
        self.report = {"code": code, "message": message, "action": action}


def download(model: str, folder: Path) -> None:
    info = HfApi().model_info(model, files_metadata=True, timeout=30)
    files = {file.rfilename: file.size or 0 for file in info.siblings or [] if is_wanted(file.rfilename)}
    if "config.json" not in files or not any(name.endswith(".safetensors") for name in files):
        raise Refusal(
            "MODEL_UNKNOWN",
            f"{model} holds no model in safetensors.",
            "Choose a transformers model with config.json and safetensors.",
        )
    total = sum(files.values())
    done = threading.Event()
    reporter = threading.Thread(target=report_progress, args=(folder, total, done), daemon=True)
    reporter.start()
    try:
        snapshot_download(model, revision=info.sha, local_dir=folder, allow_patterns=WANTED, ignore_patterns=["*/*"])
    finally:
        done.set()
        reporter.join()
    missing = [name for name in files if not (folder / name).exists()]
    if missing:
        raise ConnectionError(f"{missing[0]} is missing")


def is_wanted(name: str) -> bool:
    return "/" not in name and any(name.endswith(pattern[1:]) for pattern in WANTED)


def report_progress(folder: Path, total: int, done: threading.Event) -> None:
    while not done.wait(PROGRESS_SECONDS):
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(json.dumps({"done": min(size, total), "total": total}), flush=True)


def classify(model: str, error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    use_folder = "or set ANNEAL_BASE_MODEL to the folder of a downloaded model"
    if isinstance(error, GatedRepoError):
        return Refusal(
            "MODEL_UNKNOWN",
            f"{model} is a gated model, and nobody who may read it is signed in.",
            f"Accept its terms on the Hub and set HF_TOKEN, {use_folder}.",
        )
    if isinstance(error, (RepositoryNotFoundError, HFValidationError)):
        return Refusal(
            "MODEL_UNKNOWN",
            f"There is no public model {model} on the Hugging Face Hub.",
            f"Check the id, set HF_TOKEN where the model is private, {use_folder}.",
        )
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Refusal(
            "DISK_FULL",
            f"The disk is full: {model} could not be downloaded.",
            "Free some space and start again; what was downloaded is kept.",
        )
    status = getattr(getattr(error, "response", None), "status_code", None) if isinstance(error, HfHubHTTPError) else None
    said = f" (it answered {status})" if status else ""
    return Refusal(
        "MODEL_UNKNOWN",
        f"The Hugging Face Hub cannot be reached{said}, so {model} could not be downloaded.",
        f"Connect this machine to the network and start again, {use_folder}.",
    )


def main() -> int:
    model, folder = sys.argv[1], Path(sys.argv[2])
    try:
        download(model, folder)
    except Exception as error:  # noqa: BLE001 whatever the Hub's client raises ends in one sentence
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        print(json.dumps(classify(model, error).report), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
