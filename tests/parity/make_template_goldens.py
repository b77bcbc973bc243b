"""Makes tests/parity/golden/templates.json: text, ids and mask of rows under each template, from independent sources.

Run from the repository root with `transformers` and `tokenizers` installed:

    python tests/parity/make_template_goldens.py

- Chat templates: `apply_chat_template` of transformers, with published `chat_template` strings (source at each).
- Alpaca: PROMPT_DICT of `train.py`, tatsu-lab/stanford_alpaca@761dc5b.
- Tk-Instruct: `encode_tk_instruct` is `DataCollatorForNI.__call__` of `src/ni_collator.py`, yizhongw/Tk-Instruct, line by
  line, without the length checks. The kit ends the prompt in the colon of "Output: ", and so do the goldens.
- FLAN: `format_options`, `format_from_feature_dictionary` (`flan/v2/preprocessors.py`), the few-shot assembly of
  `flan/v2/few_shot.py` with `fewshot_preprocessor` of google/seqio; patterns of `flan/v2/templates.py`,
  google-research/FLAN@832b2a8.

tests/parity/save_template_tokenizer.ts trains the kit's tokenizer on the rows; Python loads its file.
"""

import hashlib
import json
import re
import string
import subprocess
import tempfile
from pathlib import Path

import tokenizers
import transformers
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

GOLDEN = Path("tests/parity/golden/templates.json")
BOS, EOS = "<|bos|>", "<|endoftext|>"

RAISE_ALTERNATE = "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
CHAT = {
    # teknium/OpenHermes-2.5-Mistral-7B, tokenizer_config.json
    "chatml": {
        "chat_template": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
        "special": ["<|im_start|>", "<|im_end|>"],
        "end": "<|im_end|>",
    },
    # meta-llama/Meta-Llama-3-8B-Instruct, tokenizer_config.json
    "llama3": {
        "chat_template": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
        "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
        "special": ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
        "end": "<|eot_id|>",
    },
    # google/gemma-7b-it, tokenizer_config.json
    "gemma": {
        "chat_template": "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" + RAISE_ALTERNATE + "{% endif %}"
        "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
        "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}",
        "special": ["<start_of_turn>", "<end_of_turn>"],
        "end": "<end_of_turn>",
    },
    # HuggingFaceH4/zephyr-7b-beta, tokenizer_config.json: its roles are text, a turn ends in EOS
    "zephyr": {
        "chat_template": "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
        "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n"
        "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
        "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
        "special": [],
        "end": EOS,
    },
    # mistralai/Mistral-7B-Instruct-v0.1, tokenizer_config.json
    "mistral": {
        "chat_template": "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" + RAISE_ALTERNATE + "{% endif %}"
        "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
        "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token + ' ' }}"
        "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}",
        "special": [],
        "end": EOS,
    },
    # meta-llama/Llama-2-7b-chat-hf, tokenizer_config.json: a BOS in each turn
    "llama2": {
        "chat_template": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}"
        "{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
        "{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" + RAISE_ALTERNATE + "{% endif %}"
        "{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] %}"
        "{% else %}{% set content = message['content'] %}{% endif %}"
        "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
        "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
        "special": [],
        "end": " " + EOS,
    },
    # microsoft/Phi-3-mini-4k-instruct, tokenizer_config.json
    "phi3": {
        "chat_template": "{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
        "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
        "{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
        "special": ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"],
        "end": "<|end|>",
    },
    # Qwen/Qwen2.5-7B-Instruct, tokenizer_config.json, without the branch for structured tool calls
    "qwen2.5": {
        "chat_template": """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.' }}
    {%- endif %}
    {{- "\\n\\n# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\nYou are provided with function signatures within <tools></tools> XML tags:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\\n<tool_call>\\n{\\"name\\": <function-name>, \\"arguments\\": <args-json-object>}\\n</tool_call><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
        "special": ["<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"],
        "end": "<|im_end|>",
    },
}

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city, \u00e9t\u00e9 and \"winter\"",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
POSITIVE = [
    {"input": "What a waste of time", "output": "Negative", "explanation": "It says that time was wasted"},
    {"input": " I loved it! ", "output": "Positive", "explanation": "Love is praise."},
    {"input": "Great movie!", "output": "Positive", "explanation": "The row itself."},
    {"input": "Fine", "output": "Positive"},
]
NEGATIVE = [{"input": "Dull", "output": "Positive", "explanation": "Dull is no praise"}]
ROWS = [
    {"id": "movie", "instruction": "Say whether the review is positive or negative", "input": "Great movie!", "output": "Positive",
     "positive": POSITIVE, "negative": NEGATIVE, "options": ["Positive", "Negative"], "rationale": "Great is a word of praise."},
    {"id": "summary", "instruction": "Summarize the text in one sentence.", "input": "The committee met for three hours \u2013 and agreed on  nothing.\n\nIt meets again on Monday.",
     "output": "The committee agreed on nothing.", "positive": POSITIVE[:2], "negative": [], "options": ["The committee agreed on nothing.", "It rained."], "rationale": "Three hours;\nno result."},
    {"id": "question", "instruction": "Answer the question: who wrote \u201cFaust\u201d?", "input": "", "output": "Johann Wolfgang von Goethe \U0001f600",
     "positive": POSITIVE[:1], "negative": NEGATIVE, "options": ["Goethe", "Schiller"], "rationale": "Faust is a play by Goethe"},
]
CONVERSATIONS = [
    {**ROWS[0], "history": []},
    {**ROWS[1], "history": [{"role": "system", "text": "Be brief."}]},
    {**ROWS[2], "history": [{"role": "user", "text": "Hello!"}, {"role": "assistant", "text": "Hello, how can I help?"}]},
    {**ROWS[0], "id": "long", "input": "  Great movie!  \n",
     "history": [{"role": "system", "text": " Be brief. "}, {"role": "user", "text": "One\ntwo"}, {"role": "assistant", "text": "three"}, {"role": "user", "text": "four"}, {"role": "assistant", "text": "Positive"}]},
    {**ROWS[2], "id": "tools", "history": [], "tools": json.dumps([TOOL])},
    {**ROWS[2], "id": "tool-answer", "tools": json.dumps([TOOL]),
     "history": [{"role": "user", "text": "Weather in Bern?"}, {"role": "assistant", "text": "{\"name\": \"weather\"}"}, {"role": "tool", "text": "sunny"}, {"role": "assistant", "text": "Sunny."}]},
]

PROMPT_DICT = {
    "prompt_input": (
        "Below is an instruction that describes a task, paired with an input that provides further context. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:"
    ),
    "prompt_no_input": (
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n{instruction}\n\n### Response:"
    ),
}


def encode_tk_instruct(row, num_pos_examples, num_neg_examples, add_explanation):
    task_input = ""
    task_input += "Now complete the following example -\n"
    task_input += f"Input: {row['input'].strip()}"
    if not task_input[-1] in string.punctuation:
        task_input += "."
    task_input += "\n"
    task_input += "Output: "
    definition = "Definition: " + row["instruction"].strip()
    if not definition[-1] in string.punctuation:
        definition += "."
    definition += "\n\n"
    parts = []
    # The kit leaves an example out that is the row itself.
    positive = [example for example in row["positive"] if example["input"] != row["input"]]
    for title, examples in (("Positive", positive[:num_pos_examples]), ("Negative", row["negative"][:num_neg_examples])):
        for idx, example in enumerate(examples):
            text = f" {title} Example {idx+1} -\n"
            text += f"Input: {example['input'].strip()}"
            if not text[-1] in string.punctuation:
                text += "."
            text += "\n"
            text += f" Output: {example['output'].strip()}"
            if not text[-1] in string.punctuation:
                text += "."
            text += "\n"
            if add_explanation and "explanation" in example:
                text += f" Explanation: {example['explanation'].strip()}"
                if not text[-1] in string.punctuation:
                    text += "."
                text += "\n"
            text += "\n"
            parts.append(text)
    source = definition + "".join(parts) + task_input
    if row["input"] == "":
        # The kit writes no input line for a row without input.
        source = source.replace("Now complete the following example -\nInput: .\n", "Now complete the following example -\n")
    return source.removesuffix(" ")


def format_options(options):
    return "OPTIONS:\n- " + "\n- ".join(options)


def fill(pattern, features):
    return "".join(features[part[1:-1]] if part[:1] == "{" and part[-1:] == "}" else part for part in re.split(r"({\w*})", pattern))


def flan_zero_shot(row, options):
    pattern = "Definition: {Definition}\nInput: {input}\n\n{options_}\nOutput:" if options else "Definition: {Definition}\nInput: {input}\nOutput:"
    return fill(pattern, {"Definition": row["instruction"], "input": row["input"], "options_": format_options(row["options"])})


def flan_few_shot(row, options, num_shots=5):
    inputs_prefix, targets_prefix, x_y_delimiter, example_separator = "Example Input: ", "Example Output: ", "\n", "\n\n"
    inputs = "{input}\n{options_}" if options else "{input}"

    def single(example, choices):
        pattern = inputs if choices else "{input}"
        return fill(pattern, {"input": example["input"], "options_": format_options(choices) if choices else ""}) + x_y_delimiter

    shots = ""
    for example in [example for example in row["positive"] if example["input"] != row["input"]][:num_shots]:
        choices = row["options"] if options and example["output"] in row["options"] else None
        shots += inputs_prefix + single(example, choices) + targets_prefix + example["output"] + example_separator
    text = shots + inputs_prefix + single(row, row["options"] if options else None) + targets_prefix.rstrip()
    text = re.sub(r" *$", "", text)
    return fill("{Definition}\n\n{inputs}", {"Definition": row["instruction"], "inputs": text})


def plain(row):
    """Prompt and response of a row under each template without special tokens."""
    question = row["instruction"] + ("\n" + row["input"] if row["input"] else "")
    tk = {
        "ift-definition": (0, 0, False),
        "ift-positive": (2, 0, False),
        "ift-positive-negative": (2, 2, False),
        "ift-positive-explained": (2, 0, True),
    }
    return {
        "alpaca": (PROMPT_DICT["prompt_input" if row["input"] else "prompt_no_input"].format_map(row), row["output"]),
        **{name: (encode_tk_instruct(row, *numbers), row["output"]) for name, numbers in tk.items()},
        "flan-zs-opt": (flan_zero_shot(row, True), row["output"]),
        "flan-zs-noopt": (flan_zero_shot(row, False), row["output"]),
        "flan-fs-opt": (flan_few_shot(row, True), row["output"]),
        "flan-fs-noopt": (flan_few_shot(row, False), row["output"]),
        "flan-cot": (
            fill("{question} Let's think first. Chain of thought:", {"question": question}),
            fill("{chain_of_thought}\nTherefore, the answer is {answer}.", {"chain_of_thought": row["rationale"], "answer": row["output"]}),
        ),
        "flan-cot-answer": (fill("Question: {question} Answer:", {"question": question}), row["output"]),
    }


def messages_of(row):
    content = row["instruction"] + ("\n\n" + row["input"] if row["input"] else "")
    history = [{"role": turn["role"], "content": turn["text"]} for turn in row["history"]]
    return history + [{"role": "user", "content": content}, {"role": "assistant", "content": row["output"]}]


def chat(tokenizer, raw, name, row):
    spec = CHAT[name]
    messages = messages_of(row)
    tools = json.loads(row["tools"]) if "tools" in row else None
    if tools and "tools" not in spec["chat_template"]:
        return {"error": "no place for tools"}
    apply = lambda turns, prompt: tokenizer.apply_chat_template(
        turns, tools=tools, chat_template=spec["chat_template"], tokenize=False, add_generation_prompt=prompt
    )
    try:
        full, prompt = apply(messages, False), apply(messages[:-1], True)
    except Exception as error:
        return {"error": str(error)}
    assert full.startswith(prompt), name
    rest = full[len(prompt):]
    end = rest.index(row["output"]) + len(row["output"])
    assert rest[end:].startswith(spec["end"]), (name, rest)
    response = rest[: end + len(spec["end"])]
    if prompt.count(BOS) > 1:
        return {"error": "several BOS"}
    body = prompt.removeprefix(BOS)
    return row_of(raw, body, response, "")


def row_of(raw, prompt, response, end):
    encode = lambda text: raw.encode(text, add_special_tokens=False).ids
    left, right = encode(BOS) + encode(prompt), encode(response + end)
    return {"prompt": prompt, "response": response + end, "ids": left + right, "supervised": [0] * len(left) + [1] * len(right)}


def main() -> None:
    added = sorted({token for spec in CHAT.values() for token in spec["special"]})
    texts = [text for row in CONVERSATIONS for message in messages_of(row) for text in [message["content"]]]
    texts += [part for row in ROWS for pair in plain(row).values() for part in pair]
    golden = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__,
              "texts": texts, "addedTokens": added, "chatTemplates": CHAT, "rows": ROWS, "conversations": CONVERSATIONS}
    GOLDEN.write_text(json.dumps(golden, ensure_ascii=False), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["node", "--import", "./src/cli/register.js", "tests/parity/save_template_tokenizer.ts", folder], check=True)
        file = Path(folder) / "tokenizer.json"
        golden["tokenizerFile"] = hashlib.sha256(file.read_bytes()).hexdigest()
        raw = Tokenizer.from_file(str(file))
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(file), bos_token=BOS, eos_token=EOS)
        golden["plain"] = {row["id"]: {name: row_of(raw, *pair, EOS) for name, pair in plain(row).items()} for row in ROWS}
        golden["chat"] = {row["id"]: {name: chat(tokenizer, raw, name, row) for name in CHAT} for row in CONVERSATIONS}
    GOLDEN.write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
    errors = [(row, name) for row, rows in golden["chat"].items() for name, result in rows.items() if "error" in result]
    print(f"{GOLDEN}: {GOLDEN.stat().st_size} bytes; errors: {errors}")


main()
