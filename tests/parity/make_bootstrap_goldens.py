"""Makes golden/bootstrap.json: percentile bootstrap intervals of flat means by scipy.stats.bootstrap.

    python tests/parity/make_bootstrap_goldens.py
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats

CASES = {"normal": (40, "normal"), "skewed": (80, "exponential"), "binary": (120, "binary")}


def main():
    rng = np.random.default_rng(20260102)
    result = []
    for name, (count, kind) in CASES.items():
        draw = {
            "normal": lambda n: rng.normal(0.3, 1.0, n),
            "exponential": lambda n: rng.exponential(1.0, n),
            "binary": lambda n: (rng.random(n) < 0.2).astype(float),
        }[kind]
        values = np.round(draw(count), 6)
        for level in (0.9, 0.95):
            outcome = stats.bootstrap(
                (values,), np.mean, n_resamples=200_000, batch=5_000, confidence_level=level,
                method="percentile", rng=np.random.default_rng(7),
            )
            result.append({
                "name": name, "values": values.tolist(), "level": level, "standardError": outcome.standard_error,
                "low": outcome.confidence_interval.low, "high": outcome.confidence_interval.high,
            })
    path = Path(__file__).parent / "golden" / "bootstrap.json"
    path.write_text(json.dumps(result, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
