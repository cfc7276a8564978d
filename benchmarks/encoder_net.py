"""The encoder in PyTorch: the same sums as policytext.tag.encoder, with gradients. See encoder_train.py."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from policytext.tag.encoder import Encoder
from policytext.tag.graph import FAR, LONGEST

SPELT = 6  # characters of a word that its vector is made of, besides its own
BATCH_TOKENS = 3_500
JOINED = 0.3  # of the passages of an epoch are learnt together with another: labels of both apply
HIDDEN = 0.08  # of the tokens are masked
EVIDENCE = 0.3  # weight of looking where the reader looked
RATE = 1e-3  # after Muon; after AdamW, whose weights are smaller, 4e-4
SEPARATOR, MASK = 3, 1


def half() -> torch.autocast:
    """Return a context in which products are taken in 16 bits where the processor can: 1.4 times as fast."""
    return torch.autocast("cpu", torch.bfloat16, enabled=torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001


class Block(nn.Module):
    """Attention that knows distances, and a transformation, each normalised first."""

    def __init__(self, width: int, heads: int, inner: int, drop: float) -> None:
        super().__init__()
        self.heads, self.drop = heads, drop
        self.n1, self.n2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.o = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.a, self.b = nn.Linear(width, inner), nn.Linear(inner, width)
        self.bias = nn.Parameter(torch.zeros(heads, 2 * FAR + 1))

    def forward(self, hidden: Tensor, here: Tensor | None, distance: Tensor) -> Tensor:
        """Return [passages x tokens x width]; `here` says which tokens are no padding, None that none is."""
        count, length, width = hidden.shape
        query, key, value = (
            self.qkv(self.n1(hidden)).view(count, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        )
        bias = self.bias[:, distance][None]
        if here is not None:
            bias = bias.masked_fill(~here[:, None, None, :], -1e4)
        # Written out: the ready-made form takes longer where the bias is learnt.
        shares = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5 + bias).softmax(-1)
        met = self.o((shares.to(value.dtype) @ value).transpose(1, 2).reshape(count, length, width))
        hidden = hidden + functional.dropout(met, self.drop, self.training)
        wide = self.b(functional.gelu(self.a(self.n2(hidden)), approximate="tanh"))
        return hidden + functional.dropout(wide, self.drop, self.training)


class Body(nn.Module):
    """Token vectors (a word's own and the mean of its characters') and blocks."""

    def __init__(self, tokens: Sequence[str], width: int, heads: int, inner: int, blocks: int, drop: float = 0) -> None:
        super().__init__()
        marks = {mark: i + 1 for i, mark in enumerate(dict.fromkeys("".join(tokens[4:])))}
        spelling = torch.zeros(len(tokens), SPELT, dtype=torch.long)
        for i, token in enumerate(tokens[4:], start=4):
            for j, mark in enumerate(token[:SPELT]):
                spelling[i, j] = marks[mark]
        self.register_buffer("spelling", spelling)
        self.register_buffer("spelt", (spelling > 0).sum(1, keepdim=True).clamp(min=1).float())
        self.words, self.marks = nn.Embedding(len(tokens), width), nn.Embedding(len(marks) + 1, width, padding_idx=0)
        self.n0, self.nf = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.ModuleList(Block(width, heads, inner, drop) for _ in range(blocks))
        self.guess = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.drop = drop
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
        for block in self.blocks:
            for last in (block.o, block.b):
                nn.init.normal_(last.weight, std=0.02 / math.sqrt(2 * blocks))

    def start_from(self, vectors: Tensor) -> None:
        """Begin with word vectors where there are any."""
        vectors = vectors / vectors.std() * 0.05
        known = torch.nonzero(vectors.abs().sum(1) > 0)[:, 0]
        self.words.weight.data[known] = vectors[known]

    def vectors(self, ids: Tensor) -> Tensor:
        """Return token vectors before the blocks."""
        return self.words(ids) + self.marks(self.spelling[ids]).sum(-2) / self.spelt[ids]

    def forward(self, ids: Tensor) -> Tensor:
        """Return a vector a token, [passages x tokens x width]."""
        kinds, place = ids.unique(return_inverse=True)
        hidden = functional.dropout(self.n0(self.vectors(kinds)[place]), self.drop, self.training)
        at = torch.arange(ids.shape[1])
        distance = (at[None] - at[:, None]).clamp(-FAR, FAR) + FAR
        here = ids > 0
        for block in self.blocks:
            hidden = block(hidden, None if here.all() else here, distance)
        return self.nf(hidden)

    def packed(self) -> dict[str, np.ndarray]:
        """Return the weights as arrays: tables as whole numbers of 8 bits with a scale a row, the rest in 16 bits."""
        arrays = {}
        for name, tensor in self.named_parameters():
            values = tensor.detach().numpy()
            if name in ("words.weight", "marks.weight"):
                scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-8) / 127
                arrays |= {name: np.round(values / scale).astype(np.int8), f"{name}.scale": scale.astype(np.float32)}
            else:
                arrays[name] = values.astype(np.float16)
        return arrays

    def unpack(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take the weights that `packed` gave."""
        with torch.no_grad():
            for name, tensor in self.named_parameters():
                values = arrays[name].astype(np.float32) * (arrays.get(f"{name}.scale", np.ones(1, np.float32)))
                tensor.copy_(torch.from_numpy(values))


class Reader(nn.Module):
    """The body with one attention and one verdict a label."""

    def __init__(self, tokens: Sequence[str], width: int, heads: int, inner: int, blocks: int, labels: int) -> None:
        super().__init__()
        self.tokens = tuple(tokens)
        self.body = Body(tokens, width, heads, inner, blocks, drop=0.1)
        self.att, self.val, self.mean = (nn.Linear(width, labels) for _ in range(3))
        for head in (self.att, self.val, self.mean):
            nn.init.normal_(head.weight, std=0.02)
        for head in (self.val, self.mean):
            nn.init.constant_(head.bias, -1.2)  # most passages have no label

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-odds [passages x labels] and attention [passages x tokens x labels]."""
        here = ids > 0
        hidden = functional.dropout(self.body(ids), 0.1, self.training)
        attention = self.att(hidden).masked_fill(~here[:, :, None], -1e4).softmax(1)
        mean = (hidden * here[:, :, None]).sum(1) / here.sum(1, keepdim=True).clamp(min=1)
        return (attention * self.val(hidden)).sum(1) + self.mean(mean), attention

    def exported(self) -> Encoder:
        """Return the same for a run."""
        state = {name: tensor.detach().numpy() for name, tensor in self.state_dict().items()}

        def linear(name: str, prefix: str = "") -> dict[str, np.ndarray]:
            return {f"{name}_weight": state[f"{prefix}{name}.weight"].T, f"{name}_bias": state[f"{prefix}{name}.bias"]}

        def norm(name: str, prefix: str) -> dict[str, np.ndarray]:
            return {f"{name}_{part}": state[f"{prefix}{name}.{part}"] for part in ("weight", "bias")}

        def block(prefix: str) -> dict[str, np.ndarray]:
            parts = norm("n1", prefix) | norm("n2", prefix) | {"bias": state[f"{prefix}bias"]}
            for name in ("qkv", "o", "a", "b"):
                parts |= linear(name, prefix)
            return parts

        with torch.no_grad():
            vectors = self.body.vectors(torch.arange(len(self.tokens))).numpy()
        return Encoder.made(
            self.tokens,
            vectors,
            norm("n0", "body.") | norm("nf", "body."),
            [block(f"body.blocks.{i}.") for i in range(len(self.body.blocks))],
            linear("att") | linear("val") | linear("mean"),
        )


def padded(numbers: Sequence[Sequence[int]]) -> Tensor:
    ids = torch.zeros(len(numbers), max(1, *(len(one) for one in numbers), 1), dtype=torch.long)
    for line, one in zip(ids, numbers, strict=True):
        line[: len(one)] = torch.tensor(one, dtype=torch.long)
    return ids


def batches(lengths: Sequence[int], tokens: int, draw: np.random.Generator) -> list[list[int]]:
    """Group positions of passages of about the same length."""
    rows: list[list[int]] = [[]]
    for i in np.argsort(np.array(lengths) + draw.random(len(lengths)) * 20).tolist():
        if rows[-1] and (lengths[i] + 20) * (len(rows[-1]) + 1) > tokens + 20 * len(rows[-1]):
            rows.append([])
        rows[-1].append(i)
    return rows


def fit(reader: Reader, data: dict, seen: np.ndarray, *, epochs: int, seed: int) -> None:
    """Fine-tune on the passages `seen`; the weights kept are a running mean of the last ones (Polyak)."""
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    reader.train()
    body = [p for name, p in reader.named_parameters() if name.startswith("body.")]
    heads = [p for name, p in reader.named_parameters() if not name.startswith("body.")]
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in body if p.ndim > 1], "weight_decay": 0.02, "rate": RATE},
            {"params": [p for p in body if p.ndim < 2], "weight_decay": 0.0, "rate": RATE},
            {"params": heads, "weight_decay": 0.02, "rate": 4 * RATE},
        ],
        lr=RATE,
        betas=(0.9, 0.98),
    )
    mean = {name: tensor.clone() for name, tensor in reader.state_dict().items()}
    step = 0
    for epoch in range(epochs):
        for part, ids, targets, evidence in _epoch(data, seen, draw):
            spent = (epoch + part) / epochs
            for group in optimiser.param_groups:
                group["lr"] = group["rate"] * min(1, (step + 1) / 100) * max(0.02, 1 - spent)
            loss = _loss(reader, ids, targets, evidence)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimiser.step()
            step += 1
            if step % 4 == 0:
                for name, tensor in reader.state_dict().items():
                    if tensor.dtype.is_floating_point:
                        mean[name].lerp_(tensor, 0.02)
    reader.load_state_dict(mean)


def _loss(reader: Reader, ids: Tensor, targets: Tensor, evidence: np.ndarray) -> Tensor:
    ids = torch.where((torch.rand(ids.shape) < HIDDEN) & (ids > SEPARATOR), MASK, ids)
    with half():
        logits, attention = reader(ids)
    logits, attention = logits.float(), attention.float()
    loss = 5 * functional.binary_cross_entropy_with_logits(logits, targets * 0.96 + 0.01)
    passage, label = np.nonzero(evidence[:, :, 0] >= 0)
    if len(passage):
        at = torch.arange(ids.shape[1])[None]
        span = torch.tensor(evidence[passage, label])
        inside = (at >= span[:, :1]) & (at < span[:, 1:])
        seen = (attention[torch.tensor(passage), :, torch.tensor(label)] * inside).sum(1)
        loss = loss - EVIDENCE * (seen + 1e-4).log().sum() / len(ids)
    return loss


def _epoch(
    data: dict, seen: np.ndarray, draw: np.random.Generator
) -> Iterator[tuple[float, Tensor, Tensor, np.ndarray]]:
    """Yield batches of all passages, some joined with another one, and how far the epoch is."""
    items = [_item(data, int(i), seen, draw) for i in seen]
    rows = batches([len(numbers) for numbers, _, _ in items], BATCH_TOKENS, draw)
    draw.shuffle(rows)
    for at, row in enumerate(rows):
        chosen = [items[i] for i in row]
        targets = torch.tensor(np.array([target for _, target, _ in chosen]))
        evidence = np.array([spans for _, _, spans in chosen])
        yield at / len(rows), padded([numbers for numbers, _, _ in chosen]), targets, evidence


def _item(data: dict, i: int, seen: np.ndarray, draw: np.random.Generator) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Return a passage, or two as one: long passages of many matters are what work reports are made of."""
    numbers, targets, evidence = data["numbers"][i], data["targets"][i], data["evidence"][i]
    j = int(draw.choice(seen))
    if draw.random() >= JOINED or len(numbers) + len(data["numbers"][j]) >= LONGEST - 16:
        return numbers, targets, evidence
    first, last = (i, j) if draw.random() < 0.5 else (j, i)
    shift = len(data["numbers"][first]) + 1
    before, after = data["evidence"][first], data["evidence"][last]
    after = after + np.where(after >= 0, shift, 0)
    only_after = (data["targets"][last] > 0) & (data["targets"][first] == 0)
    both = (data["targets"][last] > 0) & (data["targets"][first] > 0)
    spans = np.where(only_after[:, None], after, before)
    spans[both] = -1
    joined = [*data["numbers"][first], SEPARATOR, *data["numbers"][last]]
    return joined, np.maximum(targets, data["targets"][j]), spans
