"""Who undoes what, read from the summaries that wikis write by themselves."""

import pytest
from pyspark.sql import functions as fn

from spark_jobs.transforms import reverts
from spark_jobs.transforms.revert_patterns import RESTORE, ROLLBACK, UNDO

pytestmark = pytest.mark.spark

ADA = "[[Special:Contributions/Ada L.|Ada L.]] ([[User talk:Ada L.|talk]])"
IPV6 = "2001:DB8:0:0:0:0:0:1"

# language, summary: kind, user, undone revision, restored revision
SIGNALS = {
    ("en", f"Undid revision 123456 by {ADA}"): ("undo", "Ada L.", 123456, None),
    ("en", f"wrong year. Undid revision 123456 by {ADA} sorry"): ("undo", "Ada L.", 123456, None),
    ("en", f"Undid revision 123456 by [[Special:Contributions/{IPV6}|{IPV6}]] ([[User talk:{IPV6}|talk]])"): (
        "undo", IPV6, 123456, None),
    ("en", f"Undid revision [[Special:Diff/123456|123456]] by {ADA}"): ("undo", "Ada L.", 123456, None),
    ("en", f"Reverted edits by {ADA} to last revision by [[User:Bob|Bob]]"): ("rollback", "Ada L.", None, None),
    ("en", f"Reverted [[WP:AGF|good faith]] edits by {ADA}: no source"): ("rollback", "Ada L.", None, None),
    ("en", f"[[Help:Reverting|Reverted]] edits by {ADA} to last version by Bob"): ("rollback", "Ada L.", None, None),
    ("en", f"Reverted 2 edits by {ADA} to last revision by Bob"): ("rollback", "Ada L.", None, None),
    ("en", f"Reverting edit(s) by {ADA} to rev. 99887766 by Bob: vandalism"): ("rollback", "Ada L.", None, 99887766),
    ("en", "Restored revision 123456 by [[Special:Contributions/Bob|Bob]] ([[User talk:Bob|talk]])"): (
        "restore", None, None, 123456),
    ("de", "Änderung 123456 von [[Special:Contributions/Ada L.|Ada L.]] rückgängig gemacht; falsch"): (
        "undo", "Ada L.", 123456, None),
    ("de", "Änderungen von [[Special:Contributions/Ada L.|Ada L.]] auf die letzte Version von "
     " [[User:Bob|Bob]] zurückgesetzt"): ("rollback", "Ada L.", None, None),
    ("fr", f"Annulation de la modification 123456 de {ADA}"): ("undo", "Ada L.", 123456, None),
    ("fr", f"Annulation de la [[Special:Diff/123456|modification]] de {ADA}"): ("undo", "Ada L.", 123456, None),
    ("fr", f"Révocation des modifications de {ADA} (retour à la dernière version de [[User:Bob|Bob]])"): (
        "rollback", "Ada L.", None, None),
    ("es", f"Deshecha la edición 123456 de {ADA}"): ("undo", "Ada L.", 123456, None),
    ("es", f"Deshecha la [[Especial:Diff/123456|edición 123456]] de {ADA}"): ("undo", "Ada L.", 123456, None),
    ("es", f"Revertidos los cambios de {ADA} a la última edición de Bob"): ("rollback", "Ada L.", None, None),
    ("it", f"Annullata la modifica 123456 di {ADA}"): ("undo", "Ada L.", 123456, None),
    ("it", f"Annullate le modifiche di {ADA}, riportata alla versione precedente di [[User:Bob|Bob]]"): (
        "rollback", "Ada L.", None, None),
    ("pt", f"Desfeita a edição 123456 de {ADA}"): ("undo", "Ada L.", 123456, None),
    ("pt", f"Foram revertidas as edições de {ADA} para a última revisão de Bob"): ("rollback", "Ada L.", None, None),
    ("ru", f"[[ВП:×|отмена]] правки 123456 участника {ADA}"): ("undo", "Ada L.", 123456, None),
    ("ru", f"[[ВП:Откат|откат]] правок {ADA} к версии Bob"): ("rollback", "Ada L.", None, None),
    ("uk", f"Скасування редагування № 123456 користувача {ADA}"): ("undo", "Ada L.", 123456, None),
    ("pl", f"Anulowanie wersji 123456 autorstwa {ADA}"): ("undo", "Ada L.", 123456, None),
    ("pl", f"Wycofano edycje użytkownika {ADA}; przywrócono wersję Bob"): ("rollback", "Ada L.", None, None),
    ("nl", f"Versie 123456 van {ADA} ongedaan gemaakt"): ("undo", "Ada L.", 123456, None),
    ("nl", f"Wijzigingen door {ADA} hersteld tot de laatste versie door [[User:Bob|Bob]]"): (
        "rollback", "Ada L.", None, None),
    ("ja", f"{ADA} による版 123456 を取り消し"): ("undo", "Ada L.", 123456, None),
    ("ja", f"{ADA} による編集を [[User:Bob|Bob]] による直前の版へ差し戻す"): ("rollback", "Ada L.", None, None),
    ("zh", "撤销[[Special:Contributions/Ada L.|Ada L.]]（[[User talk:Ada L.|讨论]]）的版本123456"): (
        "undo", "Ada L.", 123456, None),
    ("ar", f"الرجوع عن التعديل 123456 بواسطة {ADA}"): ("undo", "Ada L.", 123456, None),
    ("ar", f"استرجاع تعديلات {ADA} حتى آخر نسخة بواسطة [[User:Bob|Bob]]"): ("rollback", "Ada L.", None, None),
    ("fa", f"خنثی‌سازی ویرایش 123456 از {ADA}"): ("undo", "Ada L.", 123456, None),
    ("tr", "[[Kullanıcı:Ada|Ada]] tarafından yapılan 123456 sayılı değişiklik geri alınıyor."): (
        "undo", "Ada", 123456, None),
    ("ko", f"{ADA}의 123456판 편집을 되돌림"): ("undo", "Ada L.", 123456, None),
    ("cs", f"verze [[Special:Diff/123456|123456]] uživatele {ADA} zrušena"): ("undo", "Ada L.", 123456, None),
    ("id", f"Membatalkan revisi 123456 oleh {ADA}"): ("undo", "Ada L.", 123456, None),
    ("vi", f"Đã lùi lại sửa đổi 123456 của {ADA}"): ("undo", "Ada L.", 123456, None),
    ("sv", f"Gjorde version 123456 av {ADA} ogjord"): ("undo", "Ada L.", 123456, None),
    ("he", f"ביטול גרסה 123456 של {ADA}"): ("undo", "Ada L.", 123456, None),
    # a tool's English on a wiki of another language, and on one that has no language
    ("vi", "Restored revision 123456 by [[Special:Contributions/Bob|Bob]]"): ("restore", None, None, 123456),
    (None, "/* undo:0||123456|Ada L. */ mistake"): ("undo", "Ada L.", 123456, None),
    (None, "/* restore:0||123456|Bob */"): ("restore", None, None, 123456),
    ("xx", f"Undid revision 123456 by {ADA}"): ("undo", "Ada L.", 123456, None),
    # no reverts
    ("en", "added [[Category:Snow]] using [[WP:HC|HotCat]]"): (None, None, None, None),
    ("en", "please undo 123456 or I will undo"): (None, None, None, None),
    ("en", "Corrected vandalism"): (None, None, None, None),
    ("en", ""): (None, None, None, None),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(spark):
    frame = spark.createDataFrame(
        [(*key, place) for place, key in enumerate(SIGNALS)], "lang STRING, raw STRING, place INT"
    )
    comment = fn.col("raw")
    signalled = frame.withColumn("signal", reverts.signal(comment, fn.col("lang")))
    signal = fn.col("signal")
    made = signalled.select(
        reverts.kind(signal),
        reverts.reverted_user(signal, comment),
        reverts.reverted_revision(signal),
        reverts.restored_revision(signal),
        "place",
    ).collect()
    return {row["place"]: tuple(row)[:4] for row in made}


@pytest.mark.parametrize("key", SIGNALS, ids=lambda key: f"{key[0]}: {key[1][:40]}")
def test_a_summary_says_what_it_undoes(found, key):
    assert found[list(SIGNALS).index(key)] == SIGNALS[key]


def test_every_pattern_is_one_that_spark_takes(spark):
    patterns = [regex for kind in (UNDO, RESTORE, ROLLBACK) for group in kind.values() for regex in group]
    frame = spark.createDataFrame([("x",)], "raw STRING")
    assert frame.select(*(fn.col("raw").rlike(regex) for regex in patterns)).first() is not None
