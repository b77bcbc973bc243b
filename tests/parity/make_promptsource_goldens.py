"""Makes tests/parity/golden/promptsource.json: the 562 shared PromptSource templates on made-up rows, by Python's jinja2.

Run from the repository root with `jinja2` installed:

    python tests/parity/make_promptsource_goldens.py FOLDER_OF_PROMPTSOURCE_TEMPLATES

`apply` is `Template.apply` of `promptsource/templates.py`, bigscience-workshop/promptsource@00fac7c (Apache-2.0), without
truncation; the filter `choice` takes the first, and templates that use it are compared with lists of one item. A row is
found for each template by trying: fields as the template reads them (mappings, lists, numbers, texts) until it renders.
"""

import hashlib
import json
import random
import sys
from collections import Counter
from pathlib import Path

from jinja2 import Environment, meta, nodes

GOLDEN = Path("tests/parity/golden/promptsource.json")
PROTECTOR = "3ed2dface8203c4c9dfb1a5dc58e41e0"
ENV = Environment()
ENV.globals.update(zip=zip)


def most_frequent(items):
    if not items:
        return
    counts = Counter(items).most_common()
    return [item for item, count in counts if count == counts[0][1]]


ENV.filters["choice"] = lambda choices: choices[0]
ENV.filters["most_frequent"] = most_frequent
TEXTS = ["Great movie!", "The cat, it's \u201cfine\u201d \u2013 no more", "a|||b", "one two_three", "What is it?", "A", "b", "1", "3.0", "Yes", "entailment"]


class Text(str):
    """A text that may not be gone through letter by letter: rows have lists for that."""

    def __iter__(self):
        raise TypeError("a text is used as a list")

    def __getitem__(self, index):
        if PROTECTOR in self:
            raise RuntimeError("a protected text is cut")
        return str(self)[index]


def protected(value):
    if isinstance(value, str):
        return Text(value.replace("|||", PROTECTOR))
    if isinstance(value, list):
        return [Text(item) if isinstance(item, str) else item for item in value]
    return {key: protected(item) for key, item in value.items()} if isinstance(value, dict) else value


def escape(row):
    return {key: protected(value) for key, value in row.items()}


def apply(template, row):
    choices = None
    if template["answer_choices"] is not None:
        rendered = ENV.from_string(template["answer_choices"]).render(**escape(row))
        choices = [choice.strip().replace(PROTECTOR, "|||") for choice in rendered.split("|||")]
    rendered = ENV.from_string(template["jinja"]).render(**escape(row), answer_choices=choices)
    return [part.replace(PROTECTOR, "|||").strip() for part in rendered.split("|||")], choices


def shape(template):
    """Which fields are read, and with which keys."""
    keys, names = {}, set()
    for source in (template["jinja"], template["answer_choices"] or ""):
        tree = ENV.parse(source)
        names |= meta.find_undeclared_variables(tree) - {"answer_choices"}
        for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
            key = node.attr if isinstance(node, nodes.Getattr) else node.arg.value if isinstance(node.arg, nodes.Const) else None
            if isinstance(node.node, nodes.Name) and isinstance(key, str) and key not in ("split", "lower", "join", "index", "replace"):
                keys.setdefault(node.node.name, set()).add(key)
    return sorted(names), keys


def value(draw, keys, depth=0):
    kind = draw.random()
    if keys and depth == 0:
        if kind < 0.6:
            return {key: value(draw, None, 1) for key in sorted(keys)}
        return [{key: value(draw, None, 1) for key in sorted(keys)} for _ in range(2)]
    if kind < 0.45:
        return draw.choice([text for text in TEXTS if depth == 0 or "|||" not in text])
    if kind < 0.7:
        return draw.randint(0, 1)
    if kind < 0.9:
        return [draw.choice([text for text in TEXTS if "|||" not in text]) for _ in range(draw.choice([1, 3, 5]))]
    return [] if depth else [draw.randint(0, 3) for _ in range(2)]


def find_row(template):
    draw = random.Random(template["id"])
    names, keys = shape(template)
    for _ in range(1500):
        row = {name: value(draw, keys.get(name)) for name in names}
        if "choice" in template["jinja"].replace("answer_choices", ""):
            row = {name: item[:1] if isinstance(item, list) else item for name, item in row.items()}
        try:
            parts, choices = apply(template, row)
        except Exception:
            continue
        if len(parts) == 2 and parts[0] and parts[1]:
            return row, parts, choices
    return None


def main() -> None:
    templates = [json.loads(line) for line in (Path(sys.argv[1]) / "templates.jsonl").read_text(encoding="utf-8").splitlines()]
    cases, missing = [], []
    for template in templates:
        found = find_row(template)
        if found is None:
            missing.append(template["id"])
            continue
        row, parts, choices = found
        digest = hashlib.sha256(json.dumps([*parts, choices], ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
        # One short hash for each: the first 12 digits of the SHA-256 of [prompt, target, choices] as JSON.
        cases.append([template["id"], row, digest[:12]])
    GOLDEN.write_text(json.dumps({"cases": cases, "missing": missing}, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{GOLDEN}: {GOLDEN.stat().st_size} bytes; {len(cases)} templates with a row, {len(missing)} without")


main()
