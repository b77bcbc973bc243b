"""Makes golden/minhash.json: what datasketch chooses as bands, and how far its estimates are off.

    python tests/parity/make_minhash_goldens.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from datasketch import MinHash
from datasketch.lsh import _optimal_param

PERMUTATIONS = 128
PAIRS = 400


def bandings():
    for permutations in (64, 128, 256):
        for threshold in (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95):
            for false_positive, false_negative in ((0.5, 0.5), (0.1, 0.9)):
                bands, slots = _optimal_param(threshold, permutations, false_positive, false_negative)
                yield [permutations, threshold, false_positive, false_negative, bands, slots]


def estimates(size, shared, rng):
    """Mean and root mean square of (estimate - Jaccard) for pairs of sets with `shared` of `size` items in common."""
    jaccard = shared / (2 * size - shared)
    errors = []
    for pair in range(PAIRS):
        items = rng.integers(0, 2**62, 2 * size - shared)
        a, b = (MinHash(num_perm=PERMUTATIONS, seed=pair + 1) for _ in range(2))
        a.update_batch([int(item).to_bytes(8, "little") for item in items[:size]])
        b.update_batch([int(item).to_bytes(8, "little") for item in items[size - shared:]])
        errors.append(a.jaccard(b) - jaccard)
    errors = np.array(errors)
    return {"size": size, "shared": shared, "bias": errors.mean(), "rootMeanSquare": np.sqrt((errors**2).mean())}


def main():
    rng = np.random.default_rng(20261125)
    result = {
        "datasketch": version("datasketch"),
        "permutations": PERMUTATIONS,
        "pairs": PAIRS,
        "bandings": list(bandings()),
        "estimates": [estimates(*case, rng) for case in ((20, 4), (20, 16), (100, 50), (100, 90), (100, 98))],
    }
    path = Path(__file__).parent / "golden" / "minhash.json"
    path.write_text(json.dumps(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
