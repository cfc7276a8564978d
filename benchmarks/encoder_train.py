"""How the encoder of the default model and the word vectors were made. Needs PyTorch, which policytext itself does not.

    python benchmarks/encoder_train.py corpus   WORK             texts without labels, cut into words, as token numbers
    python benchmarks/encoder_train.py vectors  WORK             word vectors (gensim) into models/word_vectors
    python benchmarks/encoder_train.py pretrain WORK             an hour on two cores
    python benchmarks/encoder_train.py finetune                  on everything, and five folds by document
    python benchmarks/tag_quality.py --fit --encoder benchmarks/encoder      fits the model around it

Documents of ../shared/gold/reserved.csv, copies of dev's passages, and ../shared/corpora/mixed_paragraphs.jsonl.gz are
left out of every step. WORK is a folder for what lies between the steps. `benchmarks/encoder` keeps the weights after
pre-training and what fine-tuning has learnt: the encoder, and what models that missed a fold say of it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from tag_quality import paragraphs, reserved

from policytext import codebook as codebooks
from policytext import config as configs
from policytext import convert, engine, labels, segment
from policytext.tag.encoder import Encoder
from policytext.tag.graph import LONGEST

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
LABELS = ROOT / "corpora" / "digital_government" / "labels"
KEPT = ROOT / "benchmarks" / "encoder"
SPECIAL = ("[PAD]", "[MASK]", "[UNK]", "[SEP]")
LAWS = {"cn_laws_national": 0.3, "tw_laws": 0.3}  # share of the documents: a quarter of all text is law otherwise
WIDTH, HEADS, INNER, BLOCKS = 256, 4, 512, 2
VOCABULARY = 26_000
LENGTH = 128  # tokens a sequence of pre-training
BATCH = 32
NEGATIVES = 3_000
MASKED = 0.25  # of the tokens
RATE, MUON_RATE = 1e-3, 0.02
WARM, FALLING = 400, 0.5  # steps, and share of the steps, in which the rate rises and falls
FOLDS, SEED = 5, 2021  # as in TrainConfig, so that both readers were kept from the same documents


def segmenter() -> segment.Segmenter:
    config = configs.load(ROOT / "configs" / "digital_government.toml")
    book = codebooks.load(config.resolve(config.tag.codebook))
    return segment.Segmenter(config.segment, engine.domain_words(config, book))


def make_corpus(work: Path) -> None:
    """Write vocab.txt (frequent characters, then frequent words) and corpus.npz (token numbers, paragraph lengths)."""
    cut = segmenter().cut
    cuts = [cut(text) for text in paragraphs(LAWS)]
    words = Counter(word for one in cuts for word in one)
    marks: Counter[str] = Counter()
    for word, count in words.items():
        for mark in word:
            marks[mark] += count
    tokens = [*SPECIAL, *(mark for mark, count in marks.most_common() if count >= 10)]
    frequent = (word for word, count in words.most_common() if len(word) > 1 and count >= 8 and not word.isspace())
    tokens += [word for word, _ in zip(frequent, range(VOCABULARY - len(tokens)), strict=False)]
    reader = _reader(tokens)
    numbers = [np.array(reader.encode(one)[0] if len(one) <= LONGEST else _all(reader, one), np.uint16) for one in cuts]
    np.savez(work / "corpus.npz", flat=np.concatenate(numbers), length=np.array([len(one) for one in numbers]))
    (work / "vocab.txt").write_text("\n".join(tokens), encoding="utf-8")
    print(f"{len(cuts):,} paragraphs, {sum(map(len, numbers)):,} tokens, {len(tokens):,} kinds")


def _reader(tokens: Sequence[str]) -> Encoder:
    """Return an encoder without weights, to number tokens."""
    return Encoder(tuple(tokens), np.zeros(0, np.uint8))


def _all(reader: Encoder, words: Sequence[str]) -> list[int]:
    return [number for start in range(0, len(words), 64) for number in reader.encode(words[start : start + 64])[0]]


def make_vectors(work: Path) -> None:
    """Learn word vectors for the kernel machine, and wider ones to start the encoder from."""
    from gensim.models import Word2Vec

    cut = segmenter().cut
    settings = {"window": 6, "negative": 8, "sample": 1e-4, "sg": 0, "seed": 1, "workers": 2}
    sentences = [[word for word in cut(text) if not word.isspace()] for text in paragraphs({})]
    narrow = Word2Vec(sentences, vector_size=100, min_count=8, epochs=6, max_final_vocab=40_000, **settings)
    _save_vectors(narrow, settings | {"vector_size": 100, "min_count": 8, "epochs": 6})
    with np.load(work / "corpus.npz") as stored:
        flat, ends = stored["flat"], np.cumsum(stored["length"])
    numbered = [part.astype(str).tolist() for part in np.split(flat, ends[:-1])]
    wide = Word2Vec(numbered, vector_size=WIDTH, min_count=1, epochs=4, **settings)
    table = np.zeros((int(flat.max()) + 1, WIDTH), np.float32)
    for number in range(len(table)):
        if str(number) in wide.wv:
            table[number] = wide.wv[str(number)]
    np.save(work / "start.npy", table)


def _save_vectors(model, settings: dict[str, object]) -> None:
    folder = ROOT / "models" / "word_vectors"
    words = model.wv.index_to_key
    vectors = np.asarray(model.wv.vectors, np.float32)
    counts = np.array([model.wv.get_vecattr(word, "count") for word in words], np.float64)
    scale = np.abs(vectors).max(axis=1) / 127
    share = counts / counts.sum()
    arrays = {
        "words": np.frombuffer("\n".join(words).encode("utf-8"), dtype=np.uint8),
        "matrix": np.round(vectors / scale[:, None]).astype(np.int8),
        "scale": scale.astype(np.float32),
        "weight": (1e-3 / (1e-3 + share)).astype(np.float32),  # smooth inverse frequency (Arora et al. 2017)
    }
    np.savez_compressed(folder / "vectors.npz", **arrays)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card |= {
        "arrays_sha256": hashlib.sha256((folder / "vectors.npz").read_bytes()).hexdigest(),
        "words": len(words),
        "config": {key: value for key, value in settings.items() if key != "workers"},
        "learnt_from": "Chinese policy texts, laws, news, commentary and meeting transcripts (mainland, Taiwan, Hong "
        "Kong; 1923-2026), simplified, cut by rjieba; no labels; documents kept for evaluation left out",
    }
    (folder / "card.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def pretrain(work: Path, steps: int) -> None:
    """Learn to name masked tokens (Devlin et al. 2019), a sample of the vocabulary as rivals (Jean et al. 2015).

    The matrices of the blocks are learnt by Muon (Jordan et al. 2024), everything else by AdamW.
    """
    import torch
    from encoder_net import Body, half
    from torch.nn import functional

    torch.manual_seed(0)
    tokens = (work / "vocab.txt").read_text(encoding="utf-8").split("\n")
    with np.load(work / "corpus.npz") as stored:
        flat, length = stored["flat"].astype(np.int64), stored["length"]
    stream = np.insert(flat, np.cumsum(length), SPECIAL.index("[SEP]"))
    weight = np.bincount(flat, minlength=len(tokens)) ** 0.75
    rivals = torch.tensor(weight / weight.sum())
    expected = (1 - (1 - rivals) ** NEGATIVES).clamp(min=1e-6).log().float()
    body = Body(tokens, WIDTH, HEADS, INNER, BLOCKS)
    body.start_from(torch.tensor(np.load(work / "start.npy")))
    bias = torch.nn.Parameter(torch.zeros(len(tokens)))
    optimisers = _optimisers(body, bias)
    draw, step = np.random.default_rng(0), 0
    begun = time.time()
    while step < steps:
        shift = int(draw.integers(LENGTH))
        rows = stream[shift : shift + (len(stream) - shift) // LENGTH * LENGTH].reshape(-1, LENGTH)
        losses: list[float] = []
        order = draw.permutation(len(rows))
        for at in range(0, len(order) - BATCH, BATCH):
            if step == steps:
                break
            for optimiser, rate in optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = rate * min(1, (step + 1) / WARM, (1 - step / steps) / FALLING)
            ids = torch.from_numpy(rows[order[at : at + BATCH]])
            hidden = (torch.rand(ids.shape) < MASKED) & (ids >= len(SPECIAL))
            kind = torch.rand(ids.shape)
            shown = ids.clone()
            shown[hidden & (kind < 0.8)] = SPECIAL.index("[MASK]")
            other = hidden & (kind > 0.9)
            shown[other] = torch.randint(len(SPECIAL), len(tokens), (int(other.sum()),))
            wanted = ids[hidden]
            among = torch.cat([wanted, torch.multinomial(rivals, NEGATIVES, replacement=True)]).unique()
            with half():
                logits = body.guess(body(shown)[hidden]) @ body.vectors(among).T
            logits = logits.float() + bias[among] - expected[among]
            loss = functional.cross_entropy(logits, torch.searchsorted(among, wanted))
            for optimiser, _ in optimisers:
                optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*body.parameters(), bias], 1.0)
            for optimiser, _ in optimisers:
                optimiser.step()
            losses.append(loss.item())
            step += 1
            if step % 500 == 0:
                print(
                    f"step {step}, loss {np.mean(losses[-500:]):.3f}, {(time.time() - begun) / 60:.1f} min", flush=True
                )
    keep_body(body, tokens)


def _optimisers(body, bias) -> list[tuple[object, float]]:
    """Return Muon for the matrices of the blocks and AdamW for the rest, each with its rate."""
    import torch

    matrices = [p for name, p in body.blocks.named_parameters() if p.ndim == 2 and not name.endswith(".bias")]
    known = {id(p) for p in matrices}
    rest = [p for p in [*body.parameters(), bias] if id(p) not in known]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": 0.01},
        {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [
        (torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.98), fused=True), RATE),
        (torch.optim.Muon(matrices, lr=MUON_RATE, weight_decay=0.01, momentum=0.95), MUON_RATE),
    ]


def keep_body(body, tokens: Sequence[str]) -> None:
    """Keep what pre-training learnt in the repository: a refit of the default model then begins with `finetune`."""
    KEPT.mkdir(exist_ok=True)
    spelt = np.frombuffer("\n".join(tokens).encode("utf-8"), np.uint8)
    np.savez_compressed(KEPT / "pretrained.npz", tokens=spelt, **body.packed())


def kept_body() -> tuple[list[str], dict[str, np.ndarray]]:
    """Return the tokens and the weights that pre-training left."""
    with np.load(KEPT / "pretrained.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return arrays.pop("tokens").tobytes().decode("utf-8").split("\n"), arrays


def labelled(tokens: Sequence[str]) -> dict[str, object]:
    """Return token numbers, targets, evidence spans, folds and ids of the labelled passages; copies of dev's go."""
    from policytext.tag import copies
    from policytext.tag.train import assign_folds

    config = configs.load(ROOT / "configs" / "digital_government.toml")
    names = codebooks.load(config.resolve(config.tag.codebook)).ids("classifier")
    reader = _reader(tokens)
    dev = [convert.convert(passage.text).text for passage in labels.read(SHARED / "gold" / "dev.jsonl")]
    rows = labels.read(LABELS)
    near = set(copies([convert.convert(passage.text).text for passage in rows], dev).tolist())
    kept_back = reserved()
    rows = [passage for i, passage in enumerate(rows) if i not in near and passage.group not in kept_back]
    cut = segmenter().cut
    found = [_one(passage, names, reader, cut) for passage in rows]
    groups = [passage.group for passage in rows]
    return {
        "ids": [passage.id for passage in rows],
        "numbers": [numbers for numbers, _ in found],
        "evidence": np.array([spans for _, spans in found]),
        "targets": np.array(labels.matrix(rows, names), dtype=np.float32),
        "fold": assign_folds(groups, FOLDS, SEED),
        "made": np.array([passage.made for passage in rows]),
    }


def _one(passage, names, reader: Encoder, cut) -> tuple[list[int], np.ndarray]:
    done = convert.convert(passage.text)
    numbers, spans = reader.encode(cut(done.text))
    evidence = np.full((len(names), 2), -1)
    for label, (start, end) in passage.evidence.items():
        if label in names and label in passage.labels:
            first, last = done.alignment.to_text(start, end)
            hit = [i for i, (a, b) in enumerate(spans) if a < last and b > first]
            if hit:
                evidence[names.index(label)] = hit[0], hit[-1] + 1
    return numbers, evidence


def finetune(epochs: int, workers: int) -> None:
    """Fit five models that each miss a fold, for honest log-odds of every passage, and one on everything.

    What a model says is kept as soon as it is learnt, so that a second call goes on where the first was cut off; a part
    learnt from other labels is learnt anew.
    """
    data = labelled(kept_body()[0])
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [k for k in (-1, *range(FOLDS)) if not _is_kept(k, data)]
        list(pool.map(_finetune_one, waiting, *zip(*[(data, epochs, workers)] * len(waiting), strict=True)))
    logits = np.zeros(data["targets"].shape, np.float16)
    for k in range(FOLDS):
        with np.load(_part(k), allow_pickle=False) as stored:
            logits[data["fold"] == k] = stored["logits"]
    with np.load(_part(-1), allow_pickle=False) as stored:
        graph = hashlib.sha256(stored["graph"].tobytes()).hexdigest()
    np.savez_compressed(KEPT / "logits.npz", ids=np.array(data["ids"]), logits=logits, encoder=np.array(graph))
    for k in range(FOLDS):
        _part(k).unlink()


def _part(k: int) -> Path:
    return KEPT / ("encoder.npz" if k == -1 else f"fold{k}.npz")


def _state(data: dict, k: int) -> str:
    """Return a hash of what the model of a fold learns from and speaks of."""
    told = json.dumps([data["ids"], data["targets"].tolist(), data["fold"].tolist(), k])
    return hashlib.sha256(told.encode()).hexdigest()


def _is_kept(k: int, data: dict) -> bool:
    if not _part(k).exists():
        return False
    with np.load(_part(k), allow_pickle=False) as stored:
        return "state" in stored and str(stored["state"]) == _state(data, k)


def _finetune_one(k: int, data: dict, epochs: int, workers: int) -> None:
    """Keep the log-odds of fold `k` by a model that missed it; with k = -1 the model that learnt from all."""
    import torch
    from encoder_net import Reader, fit

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))
    tokens, arrays = kept_body()
    reader = Reader(tokens, WIDTH, HEADS, INNER, BLOCKS, data["targets"].shape[1])
    reader.body.unpack(arrays)
    fit(reader, data, np.flatnonzero(data["fold"] != k), epochs=epochs, seed=0)
    print(f"fold {k} is learnt", flush=True)
    encoder, state = reader.exported(), np.array(_state(data, k))
    if k == -1:
        np.savez_compressed(_part(k), **encoder.arrays(), state=state)
        return
    logits = encoder.logits([data["numbers"][i] for i in np.flatnonzero(data["fold"] == k)])  # in 8 bits, as in a run
    np.savez_compressed(_part(k), logits=logits.astype(np.float16), state=state)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("corpus", "vectors", "pretrain", "finetune"))
    parser.add_argument("work", type=Path, nargs="?")
    parser.add_argument("--steps", type=int, default=15_000, help="of pre-training")
    parser.add_argument("--epochs", type=int, default=3, help="of fine-tuning")
    parser.add_argument("--workers", type=int, default=2, help="models fine-tuned at a time")
    arguments = parser.parse_args()
    if arguments.work is None and arguments.step != "finetune":
        parser.error(f"{arguments.step} needs WORK, a folder")
    if arguments.step == "finetune":
        finetune(arguments.epochs, arguments.workers)
        return
    arguments.work.mkdir(parents=True, exist_ok=True)
    if arguments.step == "corpus":
        make_corpus(arguments.work)
    elif arguments.step == "vectors":
        make_vectors(arguments.work)
    elif arguments.step == "pretrain":
        pretrain(arguments.work, arguments.steps)


if __name__ == "__main__":
    main()
