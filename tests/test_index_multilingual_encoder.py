from __future__ import annotations

import numpy as np
import pytest

import index.multilingual_encoder
from index.encoders import open_encoder
from index.errors import IdentityMismatch, ModelUnavailable
from index.identity import Identity
from index.multilingual_encoder import MultilingualEncoder, open_tokenizer, shares, widened
from index.precision import MULTILINGUAL_MODEL

SENTENCES = {
    "en": ["The ferry leaves at nine.", "The bridge was closed after the flood.", "Bread is baked from rye.",
           "The museum lost its oldest map.", "Nurses asked for higher wages."],
    "ru": ["Паром отходит в девять.", "Мост закрыли после наводнения.", "Хлеб пекут из ржи.",
           "Музей потерял свою старейшую карту.", "Медсёстры попросили повысить зарплату."],
    "fa": ["کشتی ساعت نه حرکت می‌کند.", "پل پس از سیل بسته شد.", "نان را از چاودار می‌پزند.",
           "موزه قدیمی‌ترین نقشهٔ خود را گم کرد.", "پرستاران خواستار دستمزد بیشتر شدند."],
    "ar": ["تغادر العبّارة في التاسعة.", "أُغلق الجسر بعد الفيضان.", "يُخبز الخبز من الجاودار.",
           "فقد المتحف أقدم خريطة لديه.", "طالبت الممرضات بأجور أعلى."],
    "tr": ["Feribot saat dokuzda kalkıyor.", "Köprü selden sonra kapatıldı.", "Ekmek çavdardan yapılır.",
           "Müze en eski haritasını kaybetti.", "Hemşireler daha yüksek maaş istedi."],
}  # fmt: skip


@pytest.fixture(scope="module")
def encoder() -> MultilingualEncoder:
    return MultilingualEncoder(precision="float32")


@pytest.mark.parametrize("code", ["ru", "fa", "ar", "tr"])
def test_a_translation_is_nearer_than_other_sentences(encoder: MultilingualEncoder, code: str) -> None:
    cosines = encoder.encode(SENTENCES[code]) @ encoder.encode(SENTENCES["en"]).T
    assert cosines.argmax(axis=1).tolist() == [0, 1, 2, 3, 4]
    assert cosines.argmax(axis=0).tolist() == [0, 1, 2, 3, 4]


def test_unrelated_sentences_are_far_less_alike_than_with_raw_vectors(encoder: MultilingualEncoder) -> None:
    vectors = encoder.encode(SENTENCES["en"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    raw, others = encoder.raw(SENTENCES["en"]), ~np.eye(5, dtype=bool)
    assert (vectors @ vectors.T)[others].mean() < (raw @ raw.T)[others].mean() / 2


def test_vectors_in_8_bits_point_where_those_in_32_bits_do(encoder: MultilingualEncoder) -> None:
    texts = [text for own in SENTENCES.values() for text in own]
    assert (MultilingualEncoder(precision="int8").encode(texts) * encoder.encode(texts)).sum(axis=1).min() > 0.98


@pytest.mark.parametrize("text", ["The ferry leaves at nine.", "Паром отходит в девять.", "پل پس از سیل بسته شد.", "पुल बंद है।", "Нархи нон 7 сомонӣ"])
def test_the_vocabulary_holds_these_scripts_whole(text: str) -> None:
    tokenizer = open_tokenizer()
    ids = tokenizer.encode(text).ids
    assert (ids[0], ids[-1]) == (0, 2)
    assert 3 not in ids
    assert tokenizer.decode(ids) == text


def test_texts_without_letters_and_no_texts_are_encoded(encoder: MultilingualEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)
    assert np.isfinite(encoder.encode(["", "2014", "鬼"])).all()


def test_scripts_are_counted_by_letters() -> None:
    assert shares("Паром ab 12").tolist() == [pytest.approx(2 / 7), pytest.approx(5 / 7), 0, 0]
    assert shares("12").tolist() == [1, 0, 0, 0]


def test_four_bits_are_widened_lower_halves_first() -> None:
    row = widened(np.array([[0x1F] + [0x88] * 15], np.uint8), np.array([0.5], np.float16))[0]
    assert (row[0], row[16]) == (3.5, -3.5)
    assert not np.delete(row, [0, 16]).any()


def test_an_index_of_another_encoder_is_told_apart() -> None:
    assert isinstance(open_encoder(MULTILINGUAL_MODEL), MultilingualEncoder)
    built = Identity(encoder=open_encoder().name, dimension=384, max_chars=900)
    with pytest.raises(IdentityMismatch, match=MULTILINGUAL_MODEL):
        built.require(encoder=open_encoder(MULTILINGUAL_MODEL).name, max_chars=900)


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index.multilingual_encoder, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ModelUnavailable, match="reinstall"):
        MultilingualEncoder().encode(["text"])
