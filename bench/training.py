"""Training speed: the trainer's step against a bare PEFT loop, as its documentation shows one.

Both see the same model, adapter, precision, batches, optimizer and thread count, and take turns step by step, so that
whatever else the machine does hits both. Prints {"tokensPerSecond", "peer", "ratio", ...}; tokens are without padding.

    python bench/training.py --model <folder or Hugging Face id> [--steps 8] [--threads 2]
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the trainer sets these, here for both
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
os.environ.setdefault("LRU_CACHE_CAPACITY", "64")
sys.path.insert(0, str(Path(__file__).parents[1] / "apps" / "trainer" / "src"))

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from trainer.config import TrainerConfig
from trainer.conversation import Encoded
from trainer.events import Record, Step
from trainer.stop import StopRequest
from trainer.training import Training

WARM_UP_STEPS = 2
WORDS = (
    "pump valve pressure filter replace within hours after warning light shows engine cooling before operator checks "
    "oil level daily weekly station manual section torque bolt seal leak sensor cable voltage supply main switch off "
    "refund invoice order customer delivery returns policy thirty days receipt original packaging support ticket"
).split()


def write_data(path: Path, count: int, seed: int) -> None:
    """Grounded examples as the dataset stage makes them: a passage and a question, then an answer with its quote."""
    rng = random.Random(seed)

    def sentence() -> str:
        return " ".join(rng.choices(WORDS, k=rng.randint(8, 18))).capitalize() + "."

    with path.open("w", encoding="utf-8") as file:
        for _ in range(count):
            passage = [sentence() for _ in range(rng.randint(2, 12))]
            quote = rng.choice(passage)
            topic = " ".join(quote.split()[:3])
            question = "Passage:\n" + " ".join(passage) + f"\n\nQuestion: What is said about {topic}?"
            messages = [{"role": "user", "content": question}, {"role": "assistant", "content": f'"{quote}"'}]
            file.write(json.dumps({"messages": messages}) + "\n")


class BarePeftLoop:
    def __init__(self, config: TrainerConfig):
        dtype = torch.bfloat16 if config.precision == "bfloat16" else torch.float32
        device = "cuda" if torch.cuda.is_available() else "cpu"
        base = AutoModelForCausalLM.from_pretrained(config.base_model, dtype=dtype).to(device)
        lora = LoraConfig(
            r=config.rank, lora_alpha=config.alpha, target_modules=config.target_modules, task_type="CAUSAL_LM"
        )
        self.model = get_peft_model(base, lora)
        self.model.train()
        self.device = device
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=config.learning_rate)

    def step(self, batches: list[list[Encoded]]) -> float:
        total = 0.0
        for batch in batches:
            width = max(len(example) for example in batch)
            ids = torch.zeros(len(batch), width, dtype=torch.long)
            mask = torch.zeros(len(batch), width, dtype=torch.long)
            labels = torch.full((len(batch), width), -100)
            for row, example in enumerate(batch):
                length, tokens = len(example), torch.from_numpy(example.ids).long()
                ids[row, :length], mask[row, :length] = tokens, 1
                labels[row, :length] = torch.where(torch.from_numpy(example.learned), tokens, -100)
            out = self.model(
                input_ids=ids.to(self.device), attention_mask=mask.to(self.device), labels=labels.to(self.device)
            )
            (out.loss / len(batches)).backward()
            total += out.loss.item() / len(batches)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return total


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=os.environ.get("ANNEAL_BENCH_MODEL"), help="a folder")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch-size", type=int, default=8)
    options = parser.parse_args()
    if options.model is None:
        parser.error("--model is missing; `npm run bench -- training` passes the model of the loop")
    logging.disable_progress_bar()

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "train.jsonl"
        write_data(data, (options.steps + WARM_UP_STEPS) * options.batch_size, seed=1)
        config = TrainerConfig(
            base_model=options.model,
            train_file=str(data),
            eval_file=None,
            output_dir=folder,
            rank=8,
            alpha=16.0,
            schedule="constant",
            warmup_ratio=0.0,
            batch_size=options.batch_size,
            max_length=1024,
            epochs=1,
            threads=options.threads,
        )
        losses: list[float] = []

        def keep_loss(event: Record) -> None:
            if isinstance(event, Step):
                losses.append(event.loss)

        ours = Training(config, keep_loss, StopRequest())
        peer = BarePeftLoop(config)
        seconds = {"ours": 0.0, "peer": 0.0}
        tokens, peer_losses = 0, []
        for number, planned in enumerate(ours.plan):
            batches = [[ours.train_set.examples[index] for index in batch] for batch in planned.batches]
            began = time.perf_counter()
            ours.train_step(planned)
            between = time.perf_counter()
            peer_losses.append(peer.step(batches))
            ended = time.perf_counter()
            if number >= WARM_UP_STEPS:
                seconds["ours"] += between - began
                seconds["peer"] += ended - between
                tokens += sum(len(example) for batch in batches for example in batch)

    rates = {name: tokens / spent for name, spent in seconds.items()}
    print(
        json.dumps(
            {
                "tokensPerSecond": round(rates["ours"], 1),
                "peer": round(rates["peer"], 1),
                "ratio": round(rates["ours"] / rates["peer"], 3),
                "steps": len(losses) - WARM_UP_STEPS,
                "tokens": tokens,
                "threads": options.threads,
                # The same work was done: the first loss is equal, the last close (adapters start from other draws).
                "firstLoss": [round(losses[0], 4), round(peer_losses[0], 4)],
                "lastLoss": [round(losses[-1], 4), round(peer_losses[-1], 4)],
            }
        )
    )


if __name__ == "__main__":
    main()
