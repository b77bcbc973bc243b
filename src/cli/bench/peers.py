"""The work of `ift-kit bench` as one would write it in Python. A process for each contestant, which waits between its turns.

Reads one JSON line {"task": ..., "threads": n, ...}, answers {"ready": name, ...}; then answers each further line
{"amount": n} with {"seconds": s, "amount": how much was done, "peakMegabytes": m, "value": a number to compare}. Ends with its input.
"""

import json
import os
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path

# Nothing here may go to the network, and what libraries print must not mix with the answers.
os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", TRANSFORMERS_VERBOSITY="error")
ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


class Training:
    """A training step: forward, backward, clipping, AdamW. "precision" bfloat16 is `autocast`; "compile" is torch.compile."""

    def __init__(self, request):
        import torch
        from peer_decoder import Decoder

        torch.manual_seed(0)
        self.torch, self.bf16 = torch, request["precision"] == "bfloat16"
        model = Decoder(request["config"])
        self.parameters = list(model.parameters())
        optimizer = request["optimizer"]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in self.parameters if p.dim() >= 2], "weight_decay": optimizer["weightDecay"]},
                {"params": [p for p in self.parameters if p.dim() < 2], "weight_decay": 0.0},
            ],
            lr=optimizer["learningRate"],
            betas=(optimizer["beta1"], optimizer["beta2"]),
            eps=optimizer["epsilon"],
            fused=True,
        )
        self.clip = optimizer["clipNorm"]
        rows = torch.tensor(request["rows"])
        self.ids, self.targets = rows[:, :-1].contiguous(), rows[:, 1:].contiguous()
        self.model = torch.compile(model) if request["compile"] else model
        kind = "torch.compile" if request["compile"] else "eager"
        self.name = f"PyTorch {torch.__version__} {kind}{', bf16 autocast' if self.bf16 else ''}"
        if request["compile"]:
            self.step()  # Where no compiler is there, it shows now.
        self.ready = {"parameters": sum(p.numel() for p in self.parameters)}

    def step(self):
        torch = self.torch
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16):
            logits = self.model(self.ids)
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), self.targets.flatten())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.optimizer.step()
        return loss.item()

    def lap(self, steps):
        for _ in range(steps):
            loss = self.step()
        return steps * self.ids.numel(), loss


def load_model(folder):
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


class Scoring:
    """Log-probabilities of options: lm-evaluation-harness' HFLM, or the same batches in transformers."""

    def __init__(self, request):
        self.model = load_model(request["model"])
        self.batch = request["batch"]
        self.pairs = [(row["prompt"], option) for row in request["rows"] for option in row["options"]]
        self.ready = {}
        try:
            from lm_eval.models.huggingface import HFLM
            from tokenizers import Tokenizer, models
            from transformers import PreTrainedTokenizerFast

            words = {f"w{index}": index for index in range(self.model.config.vocab_size)}
            tokenizer = PreTrainedTokenizerFast(
                tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="w0")), eos_token="w1", pad_token="w0"
            )
            self.harness = HFLM(pretrained=self.model, tokenizer=tokenizer, backend="causal", batch_size=self.batch)
            self.name = f"lm-evaluation-harness {version('lm_eval')}, HFLM"
        except ImportError:
            self.harness = None
            self.name = f"transformers {version('transformers')}, batches of {self.batch}"

    def lap(self, _):
        if self.harness is not None:
            requests = [((str(index), ""), prompt, option) for index, (prompt, option) in enumerate(self.pairs)]
            scores = self.harness._loglikelihood_tokens(requests, disable_tqdm=True)
            return len(requests), sum(score for score, _ in scores)
        return len(self.pairs), self.plain()

    def plain(self):
        import torch

        order = sorted(self.pairs, key=lambda pair: -len(pair[0]) - len(pair[1]))
        total = 0.0
        with torch.inference_mode():
            for start in range(0, len(order), self.batch):
                part = order[start : start + self.batch]
                rows = [prompt + option[:-1] for prompt, option in part]
                longest = max(map(len, rows))
                logits = self.model(torch.tensor([row + [0] * (longest - len(row)) for row in rows])).logits
                logprobs = torch.log_softmax(logits, -1)
                for row, (prompt, option) in enumerate(part):
                    places = torch.arange(len(prompt) - 1, len(prompt) + len(option) - 1)
                    total += logprobs[row, places, torch.tensor(option)].sum().item()
        return total


class Generation:
    """Greedy answers of a fixed length by transformers' generate."""

    def __init__(self, request):
        import torch

        self.torch = torch
        self.model = load_model(request["model"])
        self.prompts = torch.tensor(request["prompts"])
        self.tokens = request["tokens"]
        self.ready = {}
        self.name = f"transformers {version('transformers')}, generate"

    def lap(self, _):
        with self.torch.inference_mode():
            answers = self.model.generate(
                self.prompts,
                attention_mask=self.torch.ones_like(self.prompts),
                max_new_tokens=self.tokens,
                min_new_tokens=self.tokens,
                do_sample=False,
                pad_token_id=0,
            )
        new = answers[:, self.prompts.shape[1] :]
        return new.numel(), int(new.sum())


class Loading:
    """A folder with safetensors into a model."""

    def __init__(self, request):
        self.folder = request["model"]
        self.bytes = (Path(self.folder) / "model.safetensors").stat().st_size
        load_model(self.folder)
        self.ready = {}
        self.name = f"transformers {version('transformers')}, from_pretrained"

    def lap(self, _):
        model = load_model(self.folder)
        return self.bytes / 1e6, sum(p.numel() for p in model.parameters())


class Rendering:
    """Alpaca's text, `tokenizers`, ids and mask as lists."""

    def __init__(self, request):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(Path(request["tokenizer"]) / "tokenizer.json"))
        self.rows, self.prompts = request["rows"], request["prompts"]
        self.ready = {}
        self.name = f"Python, tokenizers {version('tokenizers')}"

    def lap(self, _):
        bos, eos = (self.tokenizer.token_to_id(token) for token in ("<|bos|>", "<|endoftext|>"))
        rendered, tokens = [], 0
        for row in self.rows:
            prompt = self.prompts["input" if row["input"] else "plain"].format_map(row)
            left = self.tokenizer.encode(prompt, add_special_tokens=False).ids
            right = self.tokenizer.encode(row["output"], add_special_tokens=False).ids
            ids = [bos, *left, *right, eos]
            rendered.append((ids, [0] * (1 + len(left)) + [1] * (len(right) + 1)))
            tokens += len(ids)
        return len(self.rows), tokens


class Tuning:
    """TRL's SFTTrainer on rows that are tokens already, packed."""

    def __init__(self, request):
        import trl

        self.request = request
        self.ready = {}
        self.turn = 0
        self.model = load_model(request["model"]).train()
        self.name = f"TRL {trl.__version__}, SFTTrainer{', bf16' if request['precision'] == 'bfloat16' else ''}"

    def lap(self, amount):
        from datasets import Dataset
        from tokenizers import Tokenizer, models
        from transformers import PreTrainedTokenizerFast
        from trl import SFTConfig, SFTTrainer

        rows = self.request["rows"][self.turn : self.turn + amount]
        self.turn += amount
        words = {f"w{index}": index for index in range(self.model.config.vocab_size)}
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="w0")), eos_token="w1", pad_token="w0"
        )
        optimizer = self.request["optimizer"]
        config = SFTConfig(
            output_dir=self.request["out"],
            per_device_train_batch_size=self.request["rowsPerStep"],
            num_train_epochs=1,
            learning_rate=optimizer["learningRate"],
            weight_decay=optimizer["weightDecay"],
            max_length=self.request["tokensPerRow"],
            packing=True,
            completion_only_loss=True,
            bf16=self.request["precision"] == "bfloat16",
            use_cpu=True,
            gradient_checkpointing=False,
            dataloader_pin_memory=False,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        columns = {name: [row[name] for row in rows] for name in ("input_ids", "completion_mask")}
        trainer = SFTTrainer(
            model=self.model, args=config, train_dataset=Dataset.from_dict(columns), processing_class=tokenizer
        )
        start = time.perf_counter()
        result = trainer.train()
        self.seconds = time.perf_counter() - start
        return sum(sum(row["completion_mask"]) for row in rows), result.training_loss


TASKS = {
    "training": Training,
    "scoring": Scoring,
    "generation": Generation,
    "loading": Loading,
    "rendering": Rendering,
    "tuning": Tuning,
}


def answer(value):
    ANSWERS.write(json.dumps(value) + "\n")


def main():
    request = json.loads(sys.stdin.readline())
    if request["task"] != "rendering":
        import torch

        torch.set_num_threads(request["threads"])
    task = TASKS[request["task"]](request)
    answer({"ready": task.name, **task.ready})
    for line in sys.stdin:
        start = time.perf_counter()
        amount, value = task.lap(json.loads(line)["amount"])
        # Making a trainer is no training.
        seconds = getattr(task, "seconds", time.perf_counter() - start)
        # Kilobytes on Linux, bytes on macOS.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
        answer({"seconds": seconds, "amount": amount, "peakMegabytes": round(peak), "value": value})


main()
