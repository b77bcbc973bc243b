"""Makes golden/floors.json: floors on the official test tasks of Super-NaturalInstructions, with rouge_score 0.1.2.

    python tests/parity/make_floor_goldens.py FOLDER

FOLDER holds tasks/, splits/default/test_tasks.txt and task_categories.tsv. Nothing of the kit is used; normalisation is
that of Super-NaturalInstructions' `compute_metrics.py`.
"""

import csv
import json
import string
import sys
from collections import Counter, defaultdict
from pathlib import Path

from rouge_score import rouge_scorer

SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=True)


def rouge(prediction, references):
    return max(SCORER.score(reference, prediction)["rougeL"].fmeasure for reference in references)


def normal(text):
    return " ".join("".join(c for c in text.lower() if c not in set(string.punctuation)).split())


def main(folder):
    folder = Path(folder)
    with open(folder / "task_categories.tsv", encoding="utf-8", newline="") as file:
        category = {row["task"]: row["category"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    names = (folder / "splits" / "default" / "test_tasks.txt").read_text(encoding="utf-8").split()
    scores = defaultdict(lambda: defaultdict(list))
    tasks = 0
    for name in names:
        path = folder / "tasks" / f"{name}.json"
        if not path.exists():
            continue
        tasks += 1
        task = json.loads(path.read_text(encoding="utf-8"))
        rows = [(i["input"], i["output"] if isinstance(i["output"], list) else [i["output"]]) for i in task["Instances"]]
        shots = [example["output"] for example in task["Positive Examples"]]
        shots = [shot if isinstance(shot, str) else shot[0] for shot in shots]
        counts = Counter(answer for _, answers in rows for answer in {normal(a) for a in answers})
        most = counts.most_common(1)[0][1] / len(rows)
        kind = scores[category[name]]
        for text, answers in rows:
            kind["copyInput"].append(rouge(text, answers))
            kind["majorityLabel"].append(most)
            if shots:
                kind["copyDemonstration"].append(sum(rouge(shot, answers) for shot in shots) / len(shots))
    kinds = ("copyInput", "copyDemonstration", "majorityLabel")
    table = [{"category": name, "rows": len(values["copyInput"]), **{kind: sum(values[kind]) / len(values[kind]) for kind in kinds}}
             for name, values in sorted(scores.items())]
    rows = sum(one["rows"] for one in table)
    total = {kind: sum(sum(values[kind]) for values in scores.values()) / rows for kind in kinds}
    golden = Path(__file__).parent / "golden" / "floors.json"
    golden.write_text(json.dumps({"tasks": tasks, "rows": rows, "categories": table, "overall": total}, indent=1) + "\n", encoding="utf-8")
    print(tasks, "tasks", rows, "rows", {kind: round(100 * value, 2) for kind, value in total.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
