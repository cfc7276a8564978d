"""The codebook file: what loads, and what each mistake is told."""

import doctest
from pathlib import Path

import pytest

from policytext import codebook
from policytext.errors import CodebookError

ROOT = Path(__file__).parents[1]
DEFAULT = ROOT / "configs" / "codebooks" / "digital_government.toml"

MINIMAL = """
id = "c"
version = "1"
title = "测试"
[[dimension]]
id = "theme"
name = "主题"
[[label]]
id = "theme.voice"
name = "发声"
definition = "公众发声"
terms = ["听证"]
"""


def write(tmp_path, extra="", text=MINIMAL):
    file = tmp_path / "c.toml"
    file.write_text(text + extra, encoding="utf-8")
    return file


@pytest.mark.parametrize("file", sorted(DEFAULT.parent.glob("*.toml")), ids=lambda file: file.stem)
def test_codebooks_that_come_along_have_no_problem(file):
    assert codebook.check(file) == []


def test_default_codebook_has_the_five_labels_and_three_dimensions_of_terms():
    book = codebook.load(DEFAULT)
    assert book.ids("classifier") == (
        *("stage.informatization", "stage.open", "stage.smart"),
        *("theme.enablement", "theme.empowerment"),
    )
    assert {label.partition(".")[0] for label in book.ids("terms")} == {"era", "facet", "network"}
    assert len(book.rules) == len(book.rules_en) == 15


def test_every_hand_labelled_label_shows_positive_and_negative_examples():
    book = codebook.load(DEFAULT)
    for label_id in book.ids("classifier"):
        assert {example.applies for example in book.label(label_id).examples} == {True, False}


def test_examples_of_the_page_run(monkeypatch):
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "codebook.md").read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest(page, {}, "codebook.md", None, 0)
    result = doctest.DocTestRunner().run(example)
    assert result.attempted > 5
    assert result.failed == 0


def test_minimal_codebook_loads(tmp_path):
    book = codebook.load(write(tmp_path))
    assert book.ids() == ("theme.voice",)
    assert book.groups == book.relations == book.flags == ()


def test_unknown_label_names_the_nearest():
    with pytest.raises(CodebookError, match=r"theme\.empowerment"):
        codebook.load(DEFAULT).label("theme.empowermnt")


def test_hash_changes_with_a_group(tmp_path):
    before = codebook.load(write(tmp_path)).sha256()
    after = codebook.load(write(tmp_path, '[[group]]\nid = "g"\nterms = ["平台"]\n')).sha256()
    assert before != after


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ('definitions = "x"', 'did you mean "definition"'),
        ('excluded = ["会议"]', "holds none of its terms"),
        ('[[group]]\nid = "g"\nterms = ["甲 .. @nowhere"]', 'names the group "nowhere", which does not exist'),
        ('[[group]]\nid = "g"\nterms = ["甲 .. "]', "has an empty part"),
        ('[[group]]\nid = "g"\nterms = ["甲"]\nlabel = "theme.voic"', 'did you mean "theme.voice"'),
        ('[[group]]\nid = "g.h"\nterms = ["甲"]', "one word in lower-case"),
        ('[[relation]]\nid = "r"\nall = ["甲 .. 乙"]', "put it into a group"),
        ('[[relation]]\nid = "r"\nall = ["甲"]\nwithin = "page"', "within must be"),
        ('[[group]]\nid = "g"\nterms = ["賦權"]', "has traditional characters"),
        ('[[label.pattern]]\nanchors = "效率"\ntokens = []', "one of its patterns: anchors must be a list of strings"),
        ('[[label.pattern]]\nanchors = [""]\ntokens = [{TEXT = "甲"}]', "a pattern needs anchors"),
        ('[[label.pattern]]\nanchors = ["國會"]\ntokens = [{TEXT = "甲"}]', 'the pattern "國會" has traditional'),
        ('[[label.pattern]]\nanchors = ["甲"]\ntokens = [{TEXT = {IN = ["甲", "團"]}}]', 'the pattern "團" has trad'),
        ('[label.pattern]\nanchors = ["甲"]', "pattern must be a list of tables"),
        ('examples = ["甲"]', "examples must be a list of tables"),
        ('[[group]]\nid = "g"\nterms = ["農民"]', "has traditional characters"),
        ('[[group]]\nid = ["g"]\nterms = ["甲"]', "id must be a string"),
        ('[[group]]\nid = "g"\nterms = ["提高..效率"]', "has a gap or bar that is none"),
        ('[[group]]\nid = "g"\nterms = ["提高 ... 效率"]', "has a gap or bar that is none"),
        ('[[group]]\nid = "g"\nterms = ["提高｜提升"]', "has a gap or bar that is none"),
        ('[[relation]]\nid = "r"\nall = ["國宅"]', 'the part "國宅" has traditional characters'),
        ('[[flag]]\nid = "f"\nstarts = 3', "starts must be a string"),
        ('[[flag]]\nid = "f"\nstarts = "("', "no regular expression"),
        ('[[label]]\nid = "tone.voice"\nname = "x"\ndefinition = "x"', 'there is no dimension "tone"'),
        ('[[label]]\nid = "theme.voice"\nname = "x"\ndefinition = "x"', "is defined twice"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(tmp_path, extra, says):
    file = write(tmp_path, extra + "\n")
    assert any(says in problem for problem in codebook.check(file)), codebook.check(file)
    with pytest.raises(CodebookError):
        codebook.load(file)


@pytest.mark.parametrize("term", ["乾坤", "瞭望", "着力", "沈阳", "拚搏", "摺叠", "U.S.", "Web 2.0", "No.1"])
def test_what_both_scripts_write_is_no_traditional_character(tmp_path, term):
    assert codebook.check(write(tmp_path, f'[[group]]\nid = "g"\nterms = ["{term}"]\n')) == []


def test_variants_are_simplified_too(tmp_path):
    file = write(tmp_path, text='variants = [["信息", "資訊"]]\n' + MINIMAL)
    assert codebook.check(file)[0].startswith('variants: the word "資訊" has traditional characters')


def test_a_term_listed_twice_is_told(tmp_path):
    file = write(tmp_path, text=MINIMAL.replace('["听证"]', '["听证", "听证"]'))
    assert codebook.check(file) == ['label "theme.voice" lists the term "听证" twice; remove one']


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(CodebookError, match="no such codebook"):
        codebook.load(tmp_path / "none.toml")


def test_broken_toml_is_told(tmp_path):
    with pytest.raises(CodebookError, match="not valid TOML"):
        codebook.load(write(tmp_path, "id = "))


def test_variants_must_not_share_a_word(tmp_path):
    file = write(tmp_path, text='variants = [["信息", "资讯"], ["信息", "讯息"]]' + MINIMAL)
    assert codebook.check(file) == ['variants hold "信息" twice; a word belongs to one list']


def test_the_template_is_valid(tmp_path):
    file = tmp_path / "new.toml"
    file.write_text(codebook.template(), encoding="utf-8")
    assert codebook.check(file) == []
    assert codebook.load(file).labels[1].patterns


def test_relations_keep_what_must_be_absent(tmp_path):
    book = codebook.load(write(tmp_path, '[[relation]]\nid = "r"\nall = ["甲"]\nnot = ["乙"]\n'))
    assert book.relations[0].none == ("乙",)
