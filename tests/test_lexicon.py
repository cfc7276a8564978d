"""Terms are found where they stand, longest first, and nowhere else."""

import random
from pathlib import Path

import ahocorasick
import pytest

from policytext import codebook
from policytext.codebook import Codebook, Dimension, Label
from policytext.convert import convert
from policytext.tag.lexicon import Lexicon
from policytext.tag.scan import BATCH_CHARS, Scanner

DEFAULT = Path(__file__).parents[1] / "configs" / "codebooks" / "digital_government.toml"
SEED = Path(__file__).parents[2] / "shared" / "corpora" / "seed_article.txt"


def book(*labels):
    """Make a codebook of labels given as (name, terms, excluded)."""
    made = tuple(Label(f"d.{n}", n, n, "", "", terms=tuple(t), excluded=tuple(x)) for n, t, x in labels)
    return Codebook("c", "1", "c", "c", (Dimension("d", "d", "d"),), made)


def found(lexicon, text):
    return [(hit.label, text[hit.start : hit.end]) for hit in lexicon.find(text)]


def test_longest_match_within_a_label():
    lexicon = Lexicon(book(("a", ["数据", "公共数据", "数据开放"], [])))
    assert found(lexicon, "公共数据开放") == [("d.a", "公共数据"), ("d.a", "数据开放")]


def test_labels_are_independent():
    lexicon = Lexicon(book(("a", ["公共数据"], []), ("b", ["数据"], [])))
    assert found(lexicon, "公共数据") == [("d.a", "公共数据"), ("d.b", "数据")]


def test_one_term_may_serve_two_labels():
    lexicon = Lexicon(book(("a", ["数据"], []), ("b", ["数据"], [])))
    assert found(lexicon, "数据") == [("d.a", "数据"), ("d.b", "数据")]


@pytest.mark.parametrize("text", ["天赋权利", "天赋人权", "天赋权利观"])
def test_empowerment_is_not_in_natural_rights(text):
    lexicon = Lexicon(codebook.load(DEFAULT))
    assert found(lexicon, text) == []


@pytest.mark.parametrize("text", ["数字赋权", "天赋不如赋权", "培力", "充权", "开放资料", "开放数据"])
def test_regional_vocabulary_is_found(text):
    assert Lexicon(codebook.load(DEFAULT)).find(text)


def test_an_excluded_context_hides_only_what_lies_inside_it():
    lexicon = Lexicon(book(("a", ["赋权"], ["天赋权利"])))
    assert [hit.start for hit in lexicon.find("天赋权利，赋权，天赋权利，赋权")] == [5, 13]


@pytest.mark.parametrize(
    ("term", "text", "count"),
    [
        ("AI", "said AI, ＡＩ and AI赋能", 3),
        ("AI", "ai", 0),
        ("open data", "Open Data, opendata", 1),
        ("API", "APIs和API", 1),
        ("提升#", "提升5%，提升５倍，提升了", 2),
        ("提高|提升 ..4 效率", "提高了办事效率，提高水平和整体的效率；提升效率", 2),
        ("提高 .. 效率", "提高，效率", 0),
    ],
)
def test_notation_of_terms(term, text, count):
    assert len(Lexicon(book(("a", [term], []))).find(text)) == count


@pytest.mark.parametrize("name", ["digital_government", "carbon_neutrality"])
def test_examples_of_labels_decided_by_terms_agree_with_the_terms(name):
    book = codebook.load(DEFAULT.with_name(f"{name}.toml"))
    lexicon = Lexicon(book)
    wrong = [
        (label_id, example.text)
        for label_id in book.ids("terms")
        for example in book.label(label_id).examples
        if example.applies != (label_id in {hit.label for hit in lexicon.find(convert(example.text).text)})
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("term", "name"),
    [("数据", "数据"), ("提高|提升 ..4 效率", "提高|提升 … 效率"), ("甲|乙|丙|丁 .. 戊", "甲等 … 戊")],
)
def test_hits_name_their_term_briefly(term, name):
    text = "数据，提高效率，甲戊"
    assert [hit.term for hit in Lexicon(book(("a", [term], []))).find(text)] == [name]


def test_find_many_equals_find():
    lexicon = Lexicon(codebook.load(DEFAULT))
    texts = ["", "一网通办", "\n", "政务公开，接受社会监督", "", "赋权" * 3, "x"] * 3
    hits = lexicon.find_many(texts)
    columns = zip(
        hits.text.tolist(), hits.label.tolist(), hits.term.tolist(), hits.start.tolist(), hits.end.tolist(), strict=True
    )
    many = [(t, hits.labels[label], hits.terms[term], start, end) for t, label, term, start, end in columns]
    one = [(n, h.label, h.term, h.start, h.end) for n, text in enumerate(texts) for h in lexicon.find(text)]
    assert many == one


def test_no_texts_no_hits():
    assert len(Lexicon(book(("a", ["数据"], []))).find_many([])) == 0


def test_texts_longer_than_a_batch_are_whole():
    lexicon = Lexicon(book(("a", ["开头", "结尾"], [])))
    text = "开头" + "中" * (2 * BATCH_CHARS) + "结尾"
    assert len(lexicon.find_many(["开头", text, "结尾"])) == 4


def test_scanner_agrees_with_pyahocorasick():
    draw = random.Random(7)  # noqa: S311 - texts to search, no secrets
    for _ in range(40):
        letters = "数据公开放府政"[: draw.randint(2, 7)]
        terms = sorted({"".join(draw.choices(letters, k=draw.randint(1, 5))) for _ in range(draw.randint(1, 40))})
        text = "".join(draw.choices(letters + "x", k=draw.randint(0, 300)))
        oracle = ahocorasick.Automaton()
        for term in terms:
            oracle.add_word(term, term)
        oracle.make_automaton()
        expected = sorted((end + 1 - len(term), end + 1) for end, term in oracle.iter(text))
        (batch,) = Scanner(terms).scan([text])
        got = sorted(zip(batch.start.tolist(), batch.end.tolist(), strict=True))
        assert got == expected


def test_surrogates_and_rare_characters_do_not_shift_spans():
    lexicon = Lexicon(book(("a", ["赋权"], [])))
    text = "𠮷😀\ud800赋权"
    assert [text[hit.start : hit.end] for hit in lexicon.find(text)] == ["赋权"]


@pytest.mark.skipif(not SEED.is_file(), reason="the seed article lies in ../shared, beside the repository")
def test_terms_of_eras_facets_and_networks_stand_in_the_seed_article():
    text = convert(SEED.read_text(encoding="utf-8")).text
    book = codebook.load(DEFAULT)
    assert {hit.label for hit in Lexicon(book).find(text)} >= set(book.ids("terms"))
