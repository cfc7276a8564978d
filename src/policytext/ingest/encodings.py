"""Bytes to text: BOM, strict UTF-8, then the candidate whose decoded text looks most like Chinese.

GB18030 and Big5 (HKSCS) overlap almost everywhere, so that a file can be valid in both; what tells them apart is the
text that comes out: the right decoding is made of common characters, the wrong one of rare ones. A declared charset
counts as a small bonus, never against evidence. The choice and its certainty travel with the document; a replacement
character is never stored without a note.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from policytext.errors import ReadError

_SAMPLE = 200_000  # bytes that are scored; the whole input must still decode

# The 400 most frequent characters of simplified and of traditional policy texts (82 % and 86 % of all characters in
# 22 million): a text in the wrong decoding holds fewer than 15 % of them.
_COMMON = frozenset(
    "的国人和一中业发行在有以大会法民全定作工第新动政进地理务展年用产建条不生为实关化是部机要应个设十合成主经出加等上当对方家规者制了管"
    "能保开区同力公高体提重日市时本事资持可平强推文员或现面二通门三施共自代分安其到学多下量品增院长技入企度这社我改内构期位件级基利数项来交于"
    "系程各服目物总得月过责五前他据水外电及科场表好治与性就济四支向单信点所天任运造创金统计权质议万标农证更处将领委活立并后报监收由明近源府组"
    "育续依调特深相护办取元党准情查投记美式道军网使正决术教海费指照心导间案今域习义防示们城放路供效专结书际次坚最求商完营请局解布联种接境职北"
    "之协两审从台比备车革集受流色升意快小口果具列划确步起题战原型需织央检优村医告问达险省批态线京按申未款器都六消环亿范息策斯格转研名形认核司"
    "我個這會們在關來為說對過點樣現與實體產業門問當動務機後經發時國學員條開規處項資東車長書見話讓從應該無萬電單種區運傳勞據總"
    "應議權辦證職確質歷變選費領調環構導際療險還嗎麼裡著給很跟做請些覺沒但什只想把它哪您也就已能者所其各每別再使可以地得前去"
    "令報告料例核主管機關依規定辦理第條項款目申請人許可證照者應於公布日施行臺灣中央政府機構縣市委員院部署局會計畫書"
)
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_ODD = re.compile(r"[\ue000-\uf8ff\ufffd\x80-\x9f\u0400-\u052f\u2500-\u257f\uff61-\uff9f\xa1-\xff]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_DIRTY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\ud800-\udfff]")
_PUNCTUATION = re.compile(r"[，。、；：「」《》（）！？“”\u3000]")
_ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5",
    "big5-hkscs": "big5",
    "big5hkscs": "big5",
    "x-x-big5": "big5",
    "cp950": "big5",
}
_FAMILY = {"gb18030": ("gb18030",), "big5": ("big5", "big5hkscs", "cp950")}


@dataclass(frozen=True)
class Decoded:
    """Text with the encoding it was read in, how sure that is (0 to 1), and what a reader should know."""

    text: str
    encoding: str
    certainty: float
    notes: tuple[str, ...] = ()


def decode(data: bytes, *, declared: str | None = None) -> Decoded:
    """Decode bytes of unknown encoding; line ends stay as they are, a byte order mark goes.

    Raises:
        ReadError: the bytes are no text in any encoding known here.

    >>> decode("数字政府建设".encode("gb18030")).encoding
    'gb18030'
    """
    if not data:
        return Decoded("", "utf-8", 1.0)
    found = _by_mark(data) or _by_nulls(data) or _as_utf8(data) or _by_score(data, declared) or _patched(data, declared)
    if found is None:
        raise ReadError("no text encoding fits its bytes; save it as UTF-8, or give the right file")
    return _cleaned(found)


def _by_mark(data: bytes) -> Decoded | None:
    marks = (
        (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
        (codecs.BOM_UTF32_LE, "utf-32", "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32", "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
    )
    for mark, name, codec in marks:
        if data.startswith(mark):
            text = _strict(data[len(mark) :], codec)
            if text is not None:
                return Decoded(text, name, 1.0)
            return _lossy(data[len(mark) :], codec, name)
    return None


def _by_nulls(data: bytes) -> Decoded | None:
    """UTF-16 without a mark: spaces, digits and line ends leave zero bytes on one side only."""
    sample = data[: _SAMPLE // 2 * 2]
    if len(data) % 2 or len(data) < 4 or b"\x00" not in sample:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    for codec, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros > 20 * others:
            text = _strict(data, codec)
            if text is not None and _plausible(text):
                return Decoded(text, codec, 0.95)
    return None


def _as_utf8(data: bytes) -> Decoded | None:
    text = _strict(data, "utf-8")
    if text is None:
        return None
    if "\x1b$" in text or "~{" in text:  # the 7-bit encodings of old mail
        return _seven_bit(data) or Decoded(text, "utf-8", 0.9)
    return Decoded(text, "utf-8", 1.0)


def _seven_bit(data: bytes) -> Decoded | None:
    text = _strict(data, "hz")
    if text is not None and data.isascii() and len(_HAN.findall(text)) > 5 and goodness(text) > 0.3:
        return Decoded(text, "hz", 0.8)
    return None


def _by_score(data: bytes, declared: str | None) -> Decoded | None:
    """Choose among the encodings that decode the whole input without an error."""
    wanted = _ALIASES.get((declared or "").strip().lower())
    scored: list[tuple[float, str, str]] = []
    for family, codecs_of in _FAMILY.items():
        for codec in codecs_of:
            text = _strict(data, codec)
            if text is not None:
                scored.append((goodness(text[:_SAMPLE]) + 0.03 * (family == wanted), codec, text))
                break
    for codec in ("utf-16-le", "utf-16-be"):
        text = _strict(data, codec) if len(data) % 2 == 0 else None
        if text is not None and _plausible(text):
            scored.append((goodness(text[:_SAMPLE]), codec, text))
    if not scored:
        return _declared_only(data, declared)
    scored.sort(key=lambda entry: -entry[0])
    best, codec, text = scored[0]
    if best < 0.05:
        return _declared_only(data, declared)
    rival = scored[1][0] if len(scored) > 1 else 0.0
    return Decoded(text, codec, _certainty(best, rival, text))


def _certainty(best: float, rival: float, text: str) -> float:
    """Map the lead of the best over the next to 0.5 ... 0.99; short texts prove less."""
    lead = max(0.0, min(1.0, (best - max(0.0, rival)) / 0.3))
    evidence = min(1.0, len(_HAN.findall(text[:2000])) / 30)
    return round(0.5 + 0.49 * lead * evidence, 2)


def _declared_only(data: bytes, declared: str | None) -> Decoded | None:
    """Another script than Chinese: what the source declares, then a statistical guess."""
    if declared:
        try:
            text = _strict(data, declared)
        except LookupError:
            text = None
        if text is not None and _plausible(text):
            return Decoded(text, declared.lower(), 0.6)
    from charset_normalizer import from_bytes

    guess = from_bytes(data[:_SAMPLE]).best()
    text = _strict(data, guess.encoding) if guess is not None else None
    if guess is None or text is None or not _plausible(text):
        return None
    return Decoded(text, guess.encoding, 0.5, (f"encoding guessed: {guess.encoding}",))


def _patched(data: bytes, declared: str | None) -> Decoded | None:
    """Text with a few broken bytes: decode the rest, count what was lost, say so."""
    wanted = _ALIASES.get((declared or "").strip().lower(), "utf-8")
    candidates = [_lossy(data, codec, codec) for codec in dict.fromkeys(("utf-8", wanted, "gb18030", "big5hkscs"))]
    usable = [candidate for candidate in candidates if candidate is not None]
    return max(usable, key=lambda candidate: goodness(candidate.text[:_SAMPLE]), default=None)


def _lossy(data: bytes, codec: str, name: str) -> Decoded | None:
    text = data.decode(codec, errors="replace")
    lost = text.count("\ufffd") - data.count(b"\xef\xbf\xbd") * (codec == "utf-8")
    if lost > max(3, len(text) // 100) or not _plausible(text):  # more than 1 % broken is another encoding or no text
        return None
    note = f"{lost} broken byte sequence{'s' * (lost != 1)} in {name}, shown as U+FFFD"
    return Decoded(text, name, 0.6, (note,))


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def goodness(text: str) -> float:
    """Return how much text looks like Chinese in its right decoding: about 0.6 to 0.9 if right, below 0.25 if wrong."""
    han = _HAN.findall(text)
    odd = len(_ODD.findall(text))
    if not han:
        return -odd / max(1, len(text))
    common = sum(character in _COMMON for character in han)
    punctuation = min(len(_PUNCTUATION.findall(text)), len(han) / 10)
    return (common + punctuation - 2 * odd) / (len(han) + odd)


def _plausible(text: str) -> bool:
    """Tell text from binary: hardly any control characters, and for two-byte guesses hardly any unassigned ones."""
    sample = text[:20_000]
    bad = len(_CONTROL.findall(sample)) + len(
        re.findall(r"[\ue000-\uf8ff\ud800-\udfff\ufff0-\ufffc\ufffe\uffff]", sample)
    )
    return bad <= len(sample) * 0.02


def _cleaned(found: Decoded) -> Decoded:
    """Refuse binary; take out null and control bytes with a note; note replacement characters of the source itself."""
    if not _plausible(found.text):
        raise ReadError("it holds binary data, not text; give the document itself")
    text, notes = scrub(found.text.lstrip("\ufeff"))
    replaced = text.count("\ufffd")
    if replaced and not found.notes:
        notes += (f"the source itself holds {replaced} replacement character{'s' * (replaced != 1)} (U+FFFD)",)
    return Decoded(text, found.encoding, found.certainty, found.notes + notes)


def scrub(text: str) -> tuple[str, tuple[str, ...]]:
    r"""Return text without control characters and lone surrogates, and a note for each kind found.

    >>> scrub("数字\x00政府")
    ('数字政府', ('1 control character left out',))
    """
    if not _DIRTY.search(text):
        return text, ()
    notes = []
    text, broken = _SURROGATE.subn("\ufffd", text)
    if broken:
        notes.append(f"{broken} broken byte{'s' * (broken != 1)}, shown as U+FFFD")
    text, removed = _CONTROL.subn("", text)
    if removed:
        notes.append(f"{removed} control character{'s' * (removed != 1)} left out")
    return text, tuple(notes)
