"""The work of `ift-kit bench` in PyTorch: eager float32 training of the same decoder, as one would write it there.

Reads one JSON line with the workload, answers {"ready": ...}; then, for each line {"steps": n}, trains n steps and answers
{"seconds": s, "loss": nats, "peakMegabytes": m}. Ends with its input.
"""

import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width, heads, feed_forward, epsilon):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width, eps=epsilon)
        self.joint = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.feed_forward_norm = nn.LayerNorm(width, eps=epsilon)
        self.up = nn.Linear(width, feed_forward)
        self.down = nn.Linear(feed_forward, width)

    def forward(self, x):
        batch, length, width = x.shape
        query, key, value = self.joint(self.attention_norm(x)).split(width, dim=2)
        query, key, value = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2) for part in (query, key, value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.feed_forward_norm(x)), approximate="tanh"))


class Decoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, epsilon = config["width"], config["norm"]["epsilon"]
        self.token = nn.Embedding(config["vocabularySize"], width)
        self.position = nn.Embedding(config["contextLength"], width)
        self.blocks = nn.ModuleList(
            Block(width, config["heads"], config["feedForwardWidth"], epsilon) for _ in range(config["layers"])
        )
        self.norm = nn.LayerNorm(width, eps=epsilon)
        for parameter in self.parameters():
            if parameter.dim() >= 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids):
        x = self.token(ids) + self.position.weight[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.token.weight.T


class Training:
    def __init__(self, workload):
        torch.manual_seed(0)
        self.model = Decoder(workload["config"])
        optimizer = workload["optimizer"]
        matrices = [parameter for parameter in self.model.parameters() if parameter.dim() >= 2]
        others = [parameter for parameter in self.model.parameters() if parameter.dim() < 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": optimizer["weightDecay"]}, {"params": others, "weight_decay": 0.0}],
            lr=optimizer["learningRate"],
            betas=(optimizer["beta1"], optimizer["beta2"]),
            eps=optimizer["epsilon"],
            fused=True,
        )
        self.clip = optimizer["clipNorm"]
        rows = torch.tensor(workload["rows"])
        self.ids, self.targets = rows[:, :-1].contiguous(), rows[:, 1:].contiguous()

    def step(self):
        logits = self.model(self.ids)
        loss = F.cross_entropy(logits.flatten(0, 1), self.targets.flatten())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        return loss.item()


def answer(value):
    print(json.dumps(value), flush=True)


def main():
    workload = json.loads(sys.stdin.readline())
    torch.set_num_threads(workload["threads"])
    training = Training(workload)
    parameters = sum(parameter.numel() for parameter in training.model.parameters())
    answer({"ready": f"PyTorch {torch.__version__}", "parameters": parameters, "threads": torch.get_num_threads()})
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(json.loads(line)["steps"]):
            loss = training.step()
        seconds = time.perf_counter() - start
        # Kilobytes on Linux, bytes on macOS.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
        answer({"seconds": seconds, "loss": loss, "peakMegabytes": round(peak)})


main()
