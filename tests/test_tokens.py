"""Token patterns match words in order, and only where an anchor occurs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from policytext import codebook
from policytext.codebook import Codebook, Dimension, Label, TokenPattern
from policytext.config import TagConfig
from policytext.errors import CodebookError
from policytext.records import Passage
from policytext.tag import Tagger
from policytext.tag.lexicon import Lexicon
from policytext.tag.tokens import TokenPatterns

DEFAULT = Path(__file__).parents[1] / "configs" / "codebooks" / "digital_government.toml"
WITHIN = [{"TEXT": "提高"}, {"IS_PUNCT": False, "OP": "{0,3}"}, {"TEXT": "效率"}]


def book(tokens, anchors=("效率",), terms=()):
    pattern = TokenPattern(anchors, json.dumps(tokens), "提高 … 效率")
    label = Label("d.gain", "g", "g", "", "", terms=terms, patterns=(pattern,))
    return Codebook("c", "1", "c", "c", (Dimension("d", "d", "d"),), (label,))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("提高", "办事", "效率"), ["提高办事效率"]),
        (("提高", "了", "各", "部门", "的", "效率"), []),
        (("提高", "，", "效率"), []),
        (("先", "提高", "效率"), ["提高效率"]),
        (("效率", "提高"), []),
        (("提高", "质量"), []),
    ],
)
def test_patterns_hold_within_a_number_of_words(words, found):
    text = "".join(words)
    hits = Lexicon(book(WITHIN)).find(text, words)
    assert [text[hit.start : hit.end] for hit in hits] == found


def test_without_words_no_pattern_is_tried():
    assert Lexicon(book(WITHIN)).find("提高效率") == []


def test_without_an_anchor_spacy_is_not_loaded():
    patterns = TokenPatterns(book(WITHIN, anchors=("效能",)))
    patterns.find(["提高效率"], [("提高", "效率")])
    assert "_vocab" not in vars(patterns)


def test_a_term_inside_a_match_counts_once():
    hits = Lexicon(book(WITHIN, terms=("效率",))).find("提高效率，效率", ("提高", "效率", "，", "效率"))
    assert [(hit.start, hit.end, hit.term) for hit in hits] == [(0, 4, "提高 … 效率"), (5, 7, "效率")]


def test_many_texts_equal_one_by_one():
    lexicon = Lexicon(book(WITHIN, terms=("质量",)))
    rows = [("质量",), ("提高", "效率"), (), ("提高", "办事", "效率", "，", "质量")]
    texts = ["".join(row) for row in rows]
    hits = lexicon.find_many(texts, rows)
    many = list(zip(hits.text.tolist(), hits.start.tolist(), hits.end.tolist(), strict=True))
    assert many == [(n, h.start, h.end) for n, row in enumerate(rows) for h in lexicon.find(texts[n], row)]


def test_a_pattern_that_spacy_rejects_is_told():
    with pytest.raises(CodebookError, match=r'label "d\.gain"'):
        Lexicon(book([{"TXT": "提高"}])).find("效率", ("效率",))


def test_patterns_of_the_default_codebook_are_valid():
    patterns = TokenPatterns(codebook.load(DEFAULT))
    words = ("自觉", "接受", "社会", "和", "群众", "监督", "，", "提高", "了", "整体", "的", "效率")
    _, _, pattern, _, _ = patterns.find(["".join(words)], [words])
    assert {patterns.names[i] for i in pattern.tolist()} == {"接受 … 社会 … 监督", "提高 … 效率"}


@pytest.mark.parametrize(
    "tokens", [[{"TXET": "效率"}], [{"TEXT": {"REGEX": "(效"}}], [{"POS": "NOUN"}], [{"LEMMA": "效率"}], [{"OP": "??"}]]
)
def test_a_pattern_that_cannot_work_is_named(tokens):
    (problem,) = TokenPatterns(book(tokens)).problems()
    assert problem.startswith('label "d.gain", pattern "提高 … 效率": spaCy rejects')


def test_patterns_over_words_decide_when_passages_are_tagged():
    words = ("切实", "提高", "办事", "效率")
    passage = Passage("a", 0, 0, 8, "body", "", "".join(words), words)
    tags, evidence = Tagger(book(WITHIN), None, TagConfig()).explained([passage])[0]
    assert [(tag.label, tag.decision) for tag in tags] == [("d.gain", "yes")]
    assert [(hit.term, hit.start, hit.end) for hit in evidence] == [("提高 … 效率", 2, 8)]


def test_keys_in_small_letters_are_the_same_keys():
    patterns = TokenPatterns(book([{"lower": "ai"}], anchors=("AI", "ai")))
    words = [("AI", "治理"), ("ai", "治理")]
    assert len(patterns.find(["".join(some) for some in words], words)[0]) == 2


def test_patterns_are_tried_only_where_they_are_asked_for():
    words = [("切实", "提高", "办事", "效率"), ("提高", "效率"), ("提高", "审批", "效率")]
    texts = ["".join(some) for some in words]
    lexicon = Lexicon(book(WITHIN))
    assert lexicon.find_many(texts, words).text.tolist() == [0, 1, 2]
    assert lexicon.find_many(texts, words, np.array([2, 0])).text.tolist() == [0, 2]
    assert len(lexicon.find_many(texts, words, np.array([], int))) == 0


def test_a_worker_loads_no_torch_with_spacy(tmp_path):
    (tmp_path / "torch.py").write_text("raise SystemExit('loaded')", encoding="utf-8")
    code = (
        "import sys; from policytext import tag; tag.Spacy.own_process = True; tag.Spacy.load(); "
        "print('torch' in sys.modules, 'spacy' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["False", "True"], done.stderr
