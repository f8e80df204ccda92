"""Bytes of a text in any common encoding to characters; binary data is refused."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter

from charset_normalizer import from_bytes

from ingest.errors import BadSource

# UTF-32 first: its little-endian mark begins with the one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ONE_BYTE = ("cp1252", "cp1251", "koi8_r", "cp1250", "cp1254", "cp866", "iso8859_5")
_MANY_BYTES = ["shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"]
_ASIAN_SAMPLE = 20_000
_SAMPLE = 200_000
_BINARY = "it is binary data, not text"
# How often the letters stand in running text, from the most frequent on.
_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ"
_LATIN = "etaoinsrhldcumfpgwybvkxjqz"
_LATIN_EXTRA = frozenset("éèêëàâäáãåçîïíìôöóòõøûüúùñßæœÿýşğıčšžřěůłąęśćńźżőűÉÈÀÂÄÁÅÇÎÖÓØÜÚÑÆŒŞĞİČŠŽŁŚŻ")
_TYPOGRAPHY = frozenset("«»“”„‘’–—…№°§©®€£•· \u00a0")
_BOX = frozenset(range(0x2500, 0x25A0))


def decode(data: bytes, *, declared: str | None = None) -> str:
    """The text that the bytes hold.

    Byte order marks win, then the declared encoding if it fits, UTF-8, UTF-16/32 without a mark,
    and last a guess among the single-byte encodings in common use (Windows-1251 and -1252, KOI8-R …).

    Args:
        declared: encoding named by a web server or by the page itself; ignored when it cannot be so.

    Raises:
        BadSource: the bytes are not text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(data[len(mark) :].decode(encoding, errors="replace"))
    wide = _wide_encoding(data)
    if wide:
        return _checked(data.decode(wide, errors="replace"))
    try:
        return _checked(data.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    if _is_cut_utf8(data):
        return _checked(data.decode("utf-8", errors="replace"))
    if _control_share(data) > 0.003:
        raise BadSource(_BINARY)
    text = _as_declared(data, declared)
    return _checked(text if text is not None else _guess(data))


def _as_declared(data: bytes, declared: str | None) -> str | None:
    if not declared:
        return None
    try:
        name = codecs.lookup(declared.strip()).name
        # Pages that say Latin-1 mean Windows-1252; browsers read them so.
        text = data.decode("cp1252" if name in {"iso8859-1", "ascii"} else name)
    except (LookupError, UnicodeError, TypeError, ValueError):
        return None
    return text if isinstance(text, str) else None


def _wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: every second (or three of four) bytes of plain text are zero."""
    sample = data[:4000]
    sample = sample[: len(sample) - len(sample) % 4] or sample[: len(sample) - len(sample) % 2]
    if len(sample) < 4 or b"\0" not in sample:
        return _cyrillic_wide(sample)
    zeros = [sum(1 for b in sample[i::4] if b == 0) / max(1, len(sample[i::4])) for i in range(4)]
    for encoding, fits in (
        ("utf-32-le", zeros[3] > 0.95 and zeros[2] > 0.95 and zeros[0] < 0.1),
        ("utf-32-be", zeros[0] > 0.95 and zeros[1] > 0.95 and zeros[3] < 0.1),
        ("utf-16-le", min(zeros[1], zeros[3]) > 0.3 and max(zeros[0], zeros[2]) < 0.1),
        ("utf-16-be", min(zeros[0], zeros[2]) > 0.3 and max(zeros[1], zeros[3]) < 0.1),
    ):
        if fits and _reads_as_text(sample, encoding):
            return encoding
    return _cyrillic_wide(sample)


def _cyrillic_wide(sample: bytes) -> str | None:
    """UTF-16 of Cyrillic text: the high bytes are nearly all 0x04, with zeros for spaces."""
    if len(sample) < 8:
        return None
    for encoding, high in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if high.count(4) > 0.5 * len(high) and high.count(4) + high.count(0) > 0.9 * len(high):
            return encoding if _reads_as_text(sample, encoding) else None
    return None


def _reads_as_text(sample: bytes, encoding: str) -> bool:
    text = sample.decode(encoding, errors="replace")
    strange = sum(1 for c in text if c == "\ufffd" or (unicodedata.category(c) in {"Cc", "Cn"} and c not in "\t\n\r\f"))
    return strange <= 0.01 * len(text)


def _is_cut_utf8(data: bytes) -> bool:
    """Whether this is UTF-8 with a few damaged places, such as a character cut off at the end."""
    text = data[:_SAMPLE].decode("utf-8", errors="replace")
    bad, good = text.count("\ufffd"), sum(1 for c in text if ord(c) > 127 and c != "\ufffd")
    # Sequences that are valid by chance are rare in single-byte texts, less so in code page 866.
    return bad * 3 <= good or bad <= min(3, good)


def _control_share(data: bytes) -> float:
    sample = data[:_SAMPLE]
    # 0x1a ended files under DOS, 0x1b starts an escape sequence in terminal logs.
    odd = len(re.findall(rb"[\x00-\x06\x0e-\x19\x1c-\x1f\x7f]", sample))
    return odd / max(1, len(sample))


def _checked(text: str) -> str:
    sample = text[:_SAMPLE]
    odd = len(re.findall(r"[\x00-\x06\x0e-\x19\x1c-\x1f\x7f\ufffd]", sample))
    # A stray NUL or a few broken characters are no reason to refuse a book; a tenth of a per cent is.
    if odd > max(3, 0.003 * len(sample)) or (odd and odd * 4 > len(sample)):
        raise BadSource(_BINARY)
    return text.replace("\0", "")


def _guess(data: bytes) -> str:
    """The most language-like reading among single-byte encodings; Asian ones by charset-normalizer."""
    sample = data[:_SAMPLE]
    readings = []
    for order, encoding in enumerate(_ONE_BYTE):
        try:
            readings.append((_naturalness(sample.decode(encoding)), -order, encoding))
        except UnicodeDecodeError:
            if encoding == "cp1252":  # bytes that Windows-1252 leaves open
                readings.append((_naturalness(sample.decode("latin-1")), -order, "latin-1"))
    score, _, best = max(readings)
    if score < 0.55:
        asian = from_bytes(data[:_ASIAN_SAMPLE], cp_isolation=_MANY_BYTES, threshold=0.1).best()
        if asian is not None:
            return data.decode(asian.encoding, errors="replace")
    if score < 0.2 and sum(1 for b in sample if b > 127) > 0.05 * len(sample):
        raise BadSource(_BINARY)
    return data.decode(best, errors="replace")


def _naturalness(text: str) -> float:
    """How much the non-ASCII characters look like running text, up to 1.

    Each counts by what it is and by whether it fits its neighbours: a Cyrillic letter among
    Cyrillic letters, a letter with an accent among Latin ones, no capital inside a word.
    """
    total = weight = 0.0
    for pair, count in Counter(zip(" " + text, text, text[1:] + " ", strict=False)).items():
        before, char, after = pair
        if ord(char) < 128:
            continue
        weight += count
        total += count * _fit(before, char, after)
    return total / weight if weight else 1.0


def _fit(before: str, char: str, after: str) -> float:
    if char in _TYPOGRAPHY:
        # Quotes and dashes stand at word edges; only the apostrophe stands inside a word.
        inside = before.isalpha() and after.isalpha()
        return 0.9 if not inside or char in "’—–" else -0.3
    if not char.isalpha():
        return -0.6 if ord(char) in _BOX or unicodedata.category(char)[0] in "SC" else 0.0
    if char.isupper() and before.islower():
        return -0.5
    if "\u0400" <= char <= "\u04ff":
        if (before.isalpha() and before.isascii()) or (after.isalpha() and after.isascii()):
            return -0.5
        place = _RUSSIAN.find(char.lower())
        if place < 0:
            return 0.3
        return 1.0 - 0.02 * place if before.isalpha() or after.isalpha() else 0.6
    if char in _LATIN_EXTRA:
        lonely = not (before.isascii() and before.isalpha()) and not (after.isascii() and after.isalpha())
        return 0.1 if lonely else 0.9
    return 0.0
