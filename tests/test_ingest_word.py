"""Word files: whatever wraps the text, a reader sees it; what Word counts is counted."""

import io
import zipfile

import docx
import pytest

from policytext.config import IngestConfig
from policytext.ingest import formats

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def read(body: str, **parts: str) -> formats.Reading:
    """Read a document of this body; `parts` replaces other parts by name."""
    made = io.BytesIO()
    docx.Document().save(made)
    out = io.BytesIO()
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "word/document.xml":
                content = f"<w:document {W} {MC}><w:body>{body}</w:body></w:document>".encode()
            part = parts.get(name.removeprefix("word/").removesuffix(".xml"))
            new.writestr(name, content if part is None else part.encode())
    return formats.open_bytes("docx", out.getvalue(), IngestConfig())


def p(inner: str, settings: str = "") -> str:
    return f"<w:p><w:pPr>{settings}</w:pPr>{inner}</w:p>"


def r(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (p(r("甲") + f"<w:ins>{r('乙')}</w:ins><w:del><w:r><w:delText>丙</w:delText></w:r></w:del>"), "甲乙"),
        (f"<w:sdt><w:sdtContent>{p(r('控件里的一段'))}</w:sdtContent></w:sdt>", "控件里的一段"),
        (p(f"<w:sdt><w:sdtContent>{r('行内')}</w:sdtContent></w:sdt>"), "行内"),
        (p(f"<w:smartTag>{r('2021年3月5日')}</w:smartTag>"), "2021年3月5日"),
        (p(f"<w:hyperlink>{r('链接')}</w:hyperlink><w:r><w:tab/><w:t>后</w:t><w:br/></w:r>{r('文')}"), "链接\t后\n文"),
        (p("<w:r><w:instrText>PAGE</w:instrText></w:r>" + r("页")), "页"),
        (
            p(
                "<mc:AlternateContent><mc:Choice><w:r><w:pict><w:txbxContent>"
                f"{p(r('京政发〔2021〕5号'))}</w:txbxContent></w:pict></w:r></mc:Choice><mc:Fallback>"
                f"<w:r><w:pict><w:txbxContent>{p(r('京政发〔2021〕5号'))}</w:txbxContent></w:pict></w:r>"
                f"</mc:Fallback></mc:AlternateContent>{r('关于某事的通知')}"
            ),
            "京政发〔2021〕5号\n关于某事的通知",
        ),
        (
            (
                f"<w:tbl><w:tr><w:tc>{p(r('外'))}</w:tc><w:tc><w:tbl><w:tr><w:tc>{p(r('内'))}</w:tc></w:tr></w:tbl>"
                f"{p('')}</w:tc></w:tr><w:sdt><w:sdtContent><w:tr><w:tc>{p(r('下'))}</w:tc></w:tr></w:sdtContent>"
                "</w:sdt></w:tbl>"
            ),
            "外\t内\n下",
        ),
    ],
)
def test_no_wrapping_hides_text(body: str, text: str):
    assert read(body).text == text


def test_numbers_that_word_counts_are_written():
    levels = "".join(
        f'<w:lvl w:ilvl="{i}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for i, (kind, text) in enumerate(
            [("chineseCounting", "%1、"), ("japaneseCounting", "（%2）"), ("decimal", "%3."), ("bullet", "·")]
        )
    )
    numbering = (
        f'<w:numbering {W}><w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
        '<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/>'
        "</w:lvlOverride></w:num></w:numbering>"
    )

    def item(text: str, level: int, number: int = 1) -> str:
        return p(r(text), f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')

    body = [item("甲", 0), item("子", 1), item("丑", 1), p(r("正文")), item("乙", 0), item("寅", 1), item("卯", 2)]
    body += [item("点", 3), item("又", 0, 2), item("", 0), item("丙", 0)]
    found = read("".join(body), numbering=numbering).text.split("\n")
    expected = ["一、甲", "（一）子", "（二）丑", "正文", "二、乙", "（一）寅", "1. 卯", "点", "一、又", "", "三、丙"]
    assert found == expected


def test_the_style_numbers_too():
    level = '<w:lvl w:ilvl="0"><w:numFmt w:val="decimalEnclosedCircle"/><w:lvlText w:val="%1"/></w:lvl>'
    numbering = (
        f'<w:numbering {W}><w:abstractNum w:abstractNumId="0">{level}</w:abstractNum>'
        '<w:num w:numId="7"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )
    numbered = '<w:pPr><w:numPr><w:numId w:val="7"/></w:numPr></w:pPr>'
    styles = f'<w:styles {W}><w:style w:type="paragraph" w:styleId="a">{numbered}</w:style></w:styles>'
    styled = '<w:pStyle w:val="a"/>'
    off = '<w:pStyle w:val="a"/><w:numPr><w:numId w:val="0"/></w:numPr>'
    body = p(r("甲"), styled) + p(r("乙"), off) + p(r("丙"), styled)
    assert read(body, numbering=numbering, styles=styles).text == "①甲\n乙\n②丙"
