"""The decoders of `ift-kit bench` in PyTorch: GPT-2's and Llama's block, as one would write them there."""

import torch
from torch import nn
from torch.nn import functional as F


def rotate(x, cosines, sines):
    first, second = x.chunk(2, dim=-1)
    return x * cosines + torch.cat((-second, first), dim=-1) * sines


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, inner, biases = config["width"], config["feedForwardWidth"], config["biases"]
        epsilon = config["norm"]["epsilon"]
        norm = nn.RMSNorm if config["norm"]["kind"] == "rms" else nn.LayerNorm
        self.heads = config["heads"]
        self.attention_norm, self.feed_forward_norm = norm(width, eps=epsilon), norm(width, eps=epsilon)
        self.joint = nn.Linear(width, 3 * width, bias=biases)
        self.output = nn.Linear(width, width, bias=biases)
        self.gate = nn.Linear(width, inner, bias=biases) if config["activation"] == "swiglu" else None
        self.up = nn.Linear(width, inner, bias=biases)
        self.down = nn.Linear(inner, width, bias=biases)

    def forward(self, x, angles):
        batch, length, width = x.shape
        query, key, value = self.joint(self.attention_norm(x)).split(width, dim=2)
        query, key, value = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2) for part in (query, key, value)
        )
        if angles is not None:
            query, key = rotate(query, *angles), rotate(key, *angles)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(batch, length, width))
        read = self.feed_forward_norm(x)
        if self.gate is None:
            return x + self.down(F.gelu(self.up(read), approximate="tanh"))
        return x + self.down(F.silu(self.gate(read)) * self.up(read))


class Decoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, epsilon, context = config["width"], config["norm"]["epsilon"], config["contextLength"]
        self.token = nn.Embedding(config["vocabularySize"], width)
        self.position = nn.Embedding(context, width) if config["positions"]["kind"] == "learned" else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config["layers"]))
        norm = nn.RMSNorm if config["norm"]["kind"] == "rms" else nn.LayerNorm
        self.norm = norm(width, eps=epsilon)
        self.head = None if config["tiedHead"] else nn.Linear(width, config["vocabularySize"], bias=False)
        for parameter in self.parameters():
            if parameter.dim() >= 2:
                nn.init.normal_(parameter, std=0.02)
        if self.position is None:
            head = width // config["heads"]
            waves = config["positions"]["base"] ** (-torch.arange(0, head, 2) / head)
            angles = torch.outer(torch.arange(context), waves).repeat(1, 2)
            self.register_buffer("cosines", angles.cos())
            self.register_buffer("sines", angles.sin())

    def forward(self, ids):
        length = ids.shape[1]
        x = self.token(ids)
        angles = None
        if self.position is None:
            angles = (self.cosines[:length].to(x.dtype), self.sines[:length].to(x.dtype))
        else:
            x = x + self.position.weight[:length]
        for block in self.blocks:
            x = block(x, angles)
        x = self.norm(x)
        return x @ self.token.weight.T if self.head is None else self.head(x)
