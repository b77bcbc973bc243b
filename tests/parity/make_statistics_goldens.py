"""Makes golden/statistics.json with scipy 1.17 and statsmodels 0.15.

    python tests/parity/make_statistics_goldens.py
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

import pandas as pd


def distributions():
    z = np.concatenate([np.linspace(-8, 8, 33), [0.0, 1e-6, -1e-6]])
    p = np.array([1e-10, 1e-4, 0.001, 0.025, 0.1, 0.3, 0.5, 0.7, 0.9, 0.975, 0.999, 1 - 1e-9])
    freedoms = [0.5, 1, 1.37, 2, 3.5, 10, 29, 200]
    return {
        "z": z.tolist(), "normalCdf": stats.norm.cdf(z).tolist(), "p": p.tolist(), "normalQuantile": stats.norm.ppf(p).tolist(),
        "freedoms": freedoms, "studentCdf": [stats.t.cdf(z, f).tolist() for f in freedoms],
        "studentQuantile": [stats.t.ppf(p[2:-2], f).tolist() for f in freedoms],
        "x": [0, 0.001, 0.5, 1, 2, 3.84, 10, 50, 200], "chiSquaredTail": stats.chi2.sf([0, 0.001, 0.5, 1, 2, 3.84, 10, 50, 200], 1).tolist(),
    }


def samples(rng):
    return {
        "normal": np.round(rng.normal(0.4, 1.0, 14), 5), "skewed": np.round(rng.exponential(1.0, 30), 5),
        "ties": np.round(rng.integers(-2, 4, 12) / 2, 3), "small": np.round(rng.normal(1, 0.5, 6), 5),
        "large": np.round(rng.normal(0.2, 1.0, 60), 5),
    }


def bca(values, statistic, level):
    out = stats.bootstrap((values,), statistic, n_resamples=100_000, batch=5_000, confidence_level=level, method="BCa",
                          rng=np.random.default_rng(3))
    return [out.confidence_interval.low, out.confidence_interval.high, out.standard_error]


def dz(x, axis=-1):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.mean(x, axis=axis) / np.std(x, axis=axis, ddof=1)


def paired(rng):
    result = []
    for name, values in samples(rng).items():
        exact = len(values) <= 14
        test = stats.permutation_test((values, np.zeros_like(values)), lambda a, b, axis: np.mean(a - b, axis=axis),
                                      permutation_type="samples", vectorized=True, batch=10_000,
                                      n_resamples=np.inf if exact else 200_000, rng=np.random.default_rng(5))
        result.append({
            "name": name, "values": values.tolist(), "exact": exact, "pValue": float(test.pvalue),
            "bca": {str(level): bca(values, np.mean, level) for level in (0.9, 0.95)}, "dz": float(dz(values)),
            "dzBca": bca(values, dz, 0.95) if name in ("skewed", "large") else None,
            "superiority": float(np.mean((np.sign(values) + 1) / 2)),
        })
    return result


def unpaired(rng):
    result = []
    for n, m in ((5, 7), (30, 20), (12, 12)):
        a, b = rng.integers(0, 8, n).astype(float), rng.integers(1, 9, m).astype(float)
        u = stats.mannwhitneyu(a, b).statistic
        result.append({"a": a.tolist(), "b": b.tolist(), "delta": float(2 * u / (n * m) - 1)})
    return result


def mcnemars():
    result = []
    for b, c in ((0, 0), (1, 0), (5, 5), (10, 2), (3, 14), (40, 61), (200, 150)):
        table = [[100, b], [c, 50]]
        row = {"onlyA": b, "onlyB": c}
        if b + c > 0:
            n, k = b + c, min(b, c)
            row["exact"] = float(mcnemar(table, exact=True).pvalue)
            row["corrected"] = float(mcnemar(table, exact=False, correction=True).pvalue)
            row["midP"] = float(min(1, 2 * stats.binom.cdf(k, n, 0.5) - stats.binom.pmf(k, n, 0.5)))
        result.append(row)
    return result


def holms(rng):
    lists = [np.array([0.01, 0.04, 0.03, 0.005]), np.array([0.5]), rng.random(12) ** 3, np.array([0.02, 0.02, 0.02, 1.0, 0.0])]
    return [{"p": p.tolist(), "adjusted": multipletests(p, method="holm")[1].tolist()} for p in lists]


def crossed(rng):
    """Mean squares by statsmodels' analysis of variance; the squares of the two half widths are added."""
    result = []
    for seeds, types, spread in ((2, 12, (0.5, 0.5, 0.3)), (3, 8, (0.2, 1.0, 0.2)), (5, 6, (1.0, 0.3, 0.1))):
        table = np.round(0.3 + rng.normal(0, spread[0], (seeds, 1)) + rng.normal(0, spread[1], (1, types)) + rng.normal(0, spread[2], (seeds, types)), 5)
        frame = pd.DataFrame([{"seed": f"s{i}", "type": f"t{j}", "y": table[i, j]} for i in range(seeds) for j in range(types)])
        anova = anova_lm(ols("y ~ C(seed) + C(type)", frame).fit())
        a, t, e = (anova["mean_sq"][name] for name in ("C(seed)", "C(type)", "Residual"))
        parts = max(0, a - e) / (seeds * types), t / (seeds * types)
        half = np.sqrt(parts[0] * stats.t.ppf(0.975, seeds - 1) ** 2 + parts[1] * stats.t.ppf(0.975, types - 1) ** 2)
        result.append({"table": table.tolist(), "meanSquares": [a, t, e], "standardError": np.sqrt(sum(parts)),
                       "low": table.mean() - half, "high": table.mean() + half})
    return result


def powers():
    """One seed: the one-sample t test over task types."""
    solver = TTestPower()
    return [{"taskTypes": n, "effect": d, "alpha": alpha, "power": float(solver.power(d, n, alpha, alternative="two-sided")),
             "detectable": float(solver.solve_power(None, n, alpha, 0.8, alternative="two-sided"))}
            for n, d, alpha in ((6, 1.0, 0.05), (12, 0.6, 0.05), (12, 0.9, 0.01), (40, 0.4, 0.05))]


def main():
    rng = np.random.default_rng(20260104)
    value = {"distributions": distributions(), "paired": paired(rng), "unpaired": unpaired(rng), "mcnemar": mcnemars(),
             "holm": holms(rng), "crossed": crossed(rng), "power": powers()}
    target = Path(__file__).parent / "golden" / "statistics.json"
    target.write_text(json.dumps(value) + "\n", encoding="utf-8")
    print(target.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
