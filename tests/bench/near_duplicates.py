"""datasketch beside tests/bench/near-duplicates.ts: one pass over the texts of a file, as its documentation has it."""

import json
import resource
import sys
import time
from pathlib import Path

from datasketch import MinHash, MinHashLSH

THRESHOLD = 0.8
PERMUTATIONS = 128


def shingles(text: str) -> set:
    words = text.split(" ")
    return {" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))}


def find_pairs(sets: list, weights: tuple) -> list:
    """Each text looks for the earlier ones that are like it, then joins them."""
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, weights=weights)
    pairs = []
    for row, members in enumerate(sets):
        signature = MinHash(num_perm=PERMUTATIONS)
        signature.update_batch([member.encode("utf-8") for member in members])
        pairs.extend((other, row) for other in index.query(signature))
        index.insert(row, signature, check_duplication=False)
    return pairs


def jaccard(a: set, b: set) -> float:
    both = len(a & b)
    return both / (len(a) + len(b) - both)


def resident() -> float:
    """MiB that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    false_positive, false_negative, source, out = sys.argv[1:]
    texts = json.loads(Path(source).read_text(encoding="utf-8"))
    before = resident()
    start = time.perf_counter()
    sets = [shingles(text) for text in texts]
    pairs = find_pairs(sets, (float(false_positive), float(false_negative)))
    seconds = time.perf_counter() - start
    sum(jaccard(sets[a], sets[b]) >= THRESHOLD for a, b in pairs)
    verified = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Path(out).write_text(json.dumps(pairs), encoding="utf-8")
    print(json.dumps({"seconds": seconds, "verifiedSeconds": verified, "peak": peak, "before": before}))


main()
