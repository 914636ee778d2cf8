"""Who undoes what, read from the summaries that wikis write by themselves."""

from typing import NamedTuple

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as fn

from spark_jobs.transforms import reverts
from spark_jobs.transforms.revert_patterns import RESTORE, ROLLBACK, UNDO

pytestmark = pytest.mark.spark


class Revert(NamedTuple):
    """What was read from a summary."""

    kind: str | None
    user: str | None = None
    reverted: int | None = None
    restored: int | None = None


Language = str | None
A = "[[Special:Contributions/A L.|A L.]] ([[User talk:A L.|talk]])"
IPV6 = "2001:DB8:0:0:0:0:0:1"
UNDO_OF_A = Revert("undo", "A L.", reverted=123456)
ROLLBACK_OF_A = Revert("rollback", "A L.")
TO_123456 = Revert("restore", restored=123456)

SUMMARIES: dict[tuple[Language, str], Revert] = {
    # undo, as MediaWiki words it in each language
    ("en", f"Undid revision 123456 by {A}"): UNDO_OF_A,
    ("de", f"Änderung 123456 von {A} rückgängig gemacht; falsch"): UNDO_OF_A,
    ("fr", f"Annulation de la modification 123456 de {A}"): UNDO_OF_A,
    ("es", f"Deshecha la edición 123456 de {A}"): UNDO_OF_A,
    ("it", f"Annullata la modifica 123456 di {A}"): UNDO_OF_A,
    ("pt", f"Desfeita a edição 123456 de {A}"): UNDO_OF_A,
    ("ru", f"отмена правки 123456 участника {A}"): UNDO_OF_A,
    ("uk", f"Скасування редагування № 123456 користувача {A}"): UNDO_OF_A,
    ("pl", f"Anulowanie wersji 123456 autorstwa {A}"): UNDO_OF_A,
    ("nl", f"Versie 123456 van {A} ongedaan gemaakt"): UNDO_OF_A,
    ("sv", f"Gjorde version 123456 av {A} ogjord"): UNDO_OF_A,
    ("cs", f"Verze 123456 uživatele {A} zrušena"): UNDO_OF_A,
    ("fi", f"Kumottu muokkaus 123456, jonka teki {A}"): UNDO_OF_A,
    ("tr", "[[Kullanıcı:A L.|A L.]] tarafından yapılan 123456 sayılı değişiklik geri alınıyor."): UNDO_OF_A,
    ("ar", f"الرجوع عن التعديل 123456 بواسطة {A}"): UNDO_OF_A,
    ("fa", f"خنثی‌سازی ویرایش 123456 از {A}"): UNDO_OF_A,
    ("he", f"ביטול גרסה 123456 של {A}"): UNDO_OF_A,
    ("id", f"Membatalkan revisi 123456 oleh {A}"): UNDO_OF_A,
    ("vi", f"Đã lùi lại sửa đổi 123456 của {A}"): UNDO_OF_A,
    ("ja", f"{A} による版 123456 を取り消し"): UNDO_OF_A,
    ("zh", f"取消{A}的编辑 123456"): UNDO_OF_A,
    ("zh", "撤销[[Special:Contributions/A L.|A L.]]（[[User talk:A L.|讨论]]）的版本123456"): UNDO_OF_A,
    ("ko", f"{A}의 123456판 편집을 되돌림"): UNDO_OF_A,
    (None, "/* undo:0||123456|A L. */ wrong"): UNDO_OF_A,
    # English is written on every wiki
    ("de", f"Undid revision 123456 by {A}"): UNDO_OF_A,
    ("tlh", f"Undid revision 123456 by {A}"): UNDO_OF_A,
    (None, f"Undid revision 123456 by {A}"): UNDO_OF_A,
    # the ways to name the revision and the user
    ("en", f"Undid revision [[Special:Diff/123456|123456]] by {A}"): UNDO_OF_A,
    ("cs", f"verze [[Special:Diff/123456|123456]] uživatele {A} zrušena"): UNDO_OF_A,
    ("es", f"Deshecha la [[Especial:Diff/123456|edición 123456]] de {A}"): UNDO_OF_A,
    ("fr", f"Annulation de la [[Special:Diff/123456|modification]] de {A}"): UNDO_OF_A,
    ("ru", f"[[ВП:×|отмена]] правки 123456 участника {A}"): UNDO_OF_A,
    ("en", f"/* Orbit */ Undid revision 123456 by {A} wrong"): UNDO_OF_A,
    ("en", f"wrong year. Undid revision 123456 by {A} sorry"): UNDO_OF_A,
    ("en", "Undid revision 123456 by [[User:A L.|A L.]]"): UNDO_OF_A,
    ("en", "Undid revision 123456 by [[Special:Contributions/1.2.3.4|1.2.3.4]]"): UNDO_OF_A._replace(user="1.2.3.4"),
    ("en", f"Undid revision 123456 by [[Special:Contributions/{IPV6}|{IPV6}]] ([[User talk:{IPV6}|talk]])"): (
        UNDO_OF_A._replace(user=IPV6)
    ),
    ("en", "Undid revision 123456 by [[Special:Contributions/~2026-1234-5|~2026-1234-5]]"): (
        UNDO_OF_A._replace(user="~2026-1234-5")
    ),
    ("ja", "[[特別:投稿記録/月の人|月の人]] による版 123456 を取り消し"): UNDO_OF_A._replace(user="月の人"),
    ("en", "Undid revision 123456 as it was wrong"): UNDO_OF_A._replace(user=None),
    ("en", f"Undid revision 99999999999999999999 by {A}"): UNDO_OF_A._replace(reverted=None),
    # rollback
    ("en", f"Reverted edits by {A} to last version by B"): ROLLBACK_OF_A,
    ("en", f"Reverted 2 edits by {A}: rude"): ROLLBACK_OF_A,
    ("en", f"Reverted [[WP:AGF|good faith]] edits by {A}: no source"): ROLLBACK_OF_A,
    ("en", f"[[Help:Reverting|Reverted]] edits by {A} to last version by B"): ROLLBACK_OF_A,
    ("en", f"Reverting edit(s) by {A} to rev. 99887766 by B"): ROLLBACK_OF_A._replace(restored=99887766),
    ("de", f"Änderungen von {A} auf die letzte Version von [[User:B|B]] zurückgesetzt"): ROLLBACK_OF_A,
    ("fr", f"Révocation des modifications de {A} (retour à la dernière version de [[User:B|B]])"): ROLLBACK_OF_A,
    ("es", f"Revertidos los cambios de {A} a la última edición de B"): ROLLBACK_OF_A,
    ("it", f"Annullate le modifiche di {A}, riportata alla versione precedente di [[User:B|B]]"): ROLLBACK_OF_A,
    ("pt", f"Foram revertidas as edições de {A} para a última revisão de B"): ROLLBACK_OF_A,
    ("ru", f"[[ВП:Откат|откат]] правок {A} к версии B"): ROLLBACK_OF_A,
    ("pl", f"Wycofano edycje użytkownika {A}; przywrócono wersję B"): ROLLBACK_OF_A,
    ("nl", f"Wijzigingen door {A} hersteld tot de laatste versie door [[User:B|B]]"): ROLLBACK_OF_A,
    ("ja", f"{A} による編集を [[User:B|B]] による直前の版へ差し戻す"): ROLLBACK_OF_A,
    ("ar", f"استرجاع تعديلات {A} حتى آخر نسخة بواسطة [[User:B|B]]"): ROLLBACK_OF_A,
    # restore names the author of what is kept, who is not the one undone
    ("en", f"Restored revision 123456 by {A}"): TO_123456,
    ("en", f"Reverted to revision 123456 by {A}"): TO_123456,
    ("vi", f"Restored revision 123456 by {A}"): TO_123456,
    (None, "/* restore:0||123456|A L. */"): TO_123456,
}
LOOK_ALIKE: tuple[tuple[Language, str], ...] = (
    ("en", ""),
    ("en", "Corrected vandalism"),
    ("en", "please undo 123456 or I will undo"),
    ("en", "added [[Category:Snow]] using [[WP:HC|HotCat]]"),
    ("en", "added a section on how edits are reverted, see 123456"),
    ("en", "the army reverted to its 123456 men"),
    ("en", "in 1945 he restored [[Versailles|the palace]] by hand"),
    ("en", "undid my own mistake, 12345 km and not miles"),
    ("en", "see [[Special:Diff/123456|this edit]] by [[User:A|A]]"),
    ("en", f"do not revert {A}"),
    ("en", "/* Undo */ how it works, ISBN 9783161484100"),
    ("en", "/* undo 123456 */ [[User:A|A]]"),
    ("fr", f"Änderung 123456 von {A} rückgängig gemacht"),
    ("de", "Änderung 123456 ist gut, siehe [[Mond|dort]]"),
    ("ja", "版 123456 を確認 [[利用者:A|A]]"),
)
Read = dict[tuple[Language, str], Revert]


@pytest.fixture(scope="module")
def read(spark: SparkSession) -> Read:
    """What is read, by language and summary."""
    frame = spark.createDataFrame([*SUMMARIES, *LOOK_ALIKE], "language STRING, comment STRING")
    comment, signal = fn.col("comment"), fn.col("signal")
    rows = frame.withColumn("signal", reverts.signal(comment, fn.col("language"))).select(
        "language",
        "comment",
        reverts.kind(signal),
        reverts.reverted_user(signal, comment),
        reverts.reverted_revision(signal),
        reverts.restored_revision(signal),
    )
    return {(row[0], row[1]): Revert(*row[2:]) for row in rows.collect()}


@pytest.mark.parametrize(("language", "summary"), SUMMARIES, ids=ascii)
def test_a_revert_says_what_it_undoes(read: Read, language: Language, summary: str) -> None:
    assert read[language, summary] == SUMMARIES[language, summary]


@pytest.mark.parametrize(("language", "summary"), LOOK_ALIKE, ids=ascii)
def test_what_only_looks_like_a_revert_is_none(read: Read, language: Language, summary: str) -> None:
    assert read[language, summary] == Revert(None)


def test_every_pattern_is_one_that_spark_takes(spark: SparkSession) -> None:
    patterns = {regex for kind in (UNDO, RESTORE, ROLLBACK) for group in kind.values() for regex in group}
    frame = spark.createDataFrame([(regex,) for regex in patterns], "pattern STRING")
    # A pattern from a column is compiled as the row is read.
    assert len(frame.select(fn.rlike(fn.lit("x"), fn.col("pattern"))).collect()) == len(patterns)
