"""Bytes of a text in any common encoding to characters; binary data is refused."""

from __future__ import annotations

import codecs
import re
import unicodedata

import chardet
from chardet.enums import EncodingEra

from ingest.errors import BadSource

# UTF-32 first: its little-endian mark begins with the one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 200_000
# \w holds no vowel signs and accents that stand behind their letter.
_WORD = re.compile("[\\w\x80-\x9f\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0e31-\u0e4e]+")
_CONTROLS = re.compile("[\x80-\x9f]")
_LATIN = re.compile("[A-Za-z]")
_OTHER_ALPHABET = re.compile("[\u0370-\u08ff\u0e00-\u0e7f\ufb1d-\ufdff\ufe70-\ufefc]")
_BINARY = "it is binary data, not text"


def decode(data: bytes, *, declared: str | None = None) -> str:
    """The text that the bytes hold.

    Byte order marks win, then the declared encoding if it fits, UTF-8, UTF-16/32 without a mark,
    and last a guess among old encodings (Windows-1256, KOI8-R, Shift JIS …). Bytes that do not belong
    become U+FFFD, one place at a time.

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
    text = data.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    good = len(text) - bad - len(text.encode("ascii", errors="ignore"))
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
    """The likeliest reading among old encodings.

    chardet ranks them: of 62 texts in 29 encodings its first is right for 62, charset-normalizer's for 47.
    In a line of few letters that are not ASCII it errs, so words of mixed alphabets count against an
    encoding and use on the web counts for it (4 of 43 such lines were wrong without, none with).
    """
    sample = data[:_SAMPLE]
    ranked = chardet.detect_all(sample, ignore_threshold=True)
    if not ranked or ranked[0]["encoding"] is None:
        raise BadSource(_BINARY)
    of_the_web = chardet.detect_all(sample, ignore_threshold=True, encoding_era=EncodingEra.MODERN_WEB)
    web = {found["encoding"] for found in of_the_web}
    few = 2 / sum(1 for byte in sample if byte > 127) ** 2
    readings = []
    for found in ranked:
        name = found["encoding"] or "ascii"
        try:
            odd = _oddness(sample.decode(name, errors="replace"))
        except LookupError:
            continue
        readings.append((odd < 0.2, found["confidence"] * (1 + few * (name in web)), name))
    return data.decode(max(readings, key=lambda r: r[:2])[2], errors="replace")


def _oddness(text: str) -> float:
    """Share of the words with other than ASCII characters that no language writes so."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    odd = sum(1 for word in words if _CONTROLS.search(word) or (_LATIN.search(word) and _OTHER_ALPHABET.search(word)))
    return odd / max(1, len(words))
