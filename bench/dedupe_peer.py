"""One timed run of the peer, PyPI datasketch: python dedupe_peer.py documents.json result.json

From text in memory to clusters of candidate pairs, as datasketch's documentation uses it: word 5-gram shingles,
MinHash.update_batch, MinHashLSH at threshold 0.8 with its default 128 permutations, one query and one insert a document.
"""

import json
import re
import sys
import time

from datasketch import MinHash, MinHashLSH

SHINGLE_WORDS = 5
THRESHOLD = 0.8
NUM_PERM = 128
WORD = re.compile(r"\w+")


def shingles(text: str) -> set[str]:
    words = WORD.findall(text.lower())
    width = min(SHINGLE_WORDS, len(words))
    return {" ".join(words[i : i + width]) for i in range(len(words) - width + 1)}


def find_root(parents: list[int], item: int) -> int:
    while parents[item] != item:
        parents[item] = parents[parents[item]]
        item = parents[item]
    return item


def main() -> None:
    documents_path, result_path = sys.argv[1:3]
    with open(documents_path, encoding="utf-8") as file:
        texts = [document["text"] for document in json.load(file)]

    started_at = time.perf_counter()
    cpu_started_at = time.process_time()
    lsh = MinHashLSH(threshold=THRESHOLD, num_perm=NUM_PERM)
    pairs = []
    parents = list(range(len(texts)))
    for right, text in enumerate(texts):
        minhash = MinHash(num_perm=NUM_PERM)
        minhash.update_batch([shingle.encode() for shingle in shingles(text)])
        for left in lsh.query(minhash):
            pairs.append((left, right))
            parents[find_root(parents, right)] = find_root(parents, left)
        lsh.insert(right, minhash, check_duplication=False)
    clusters = {find_root(parents, item) for item in range(len(texts))}
    seconds = time.perf_counter() - started_at
    cpu_seconds = time.process_time() - cpu_started_at

    with open(result_path, "w", encoding="utf-8") as file:
        json.dump(
            {
                "seconds": seconds,
                "cpuSeconds": cpu_seconds,
                "pairs": pairs,
                "clusters": len(clusters),
                "bands": lsh.b,
                "rows": lsh.r,
            },
            file,
        )


if __name__ == "__main__":
    main()
