"""How wikis say that an edit undoes others: MediaWiki's standard summaries and those of the common tools, as data.

Each pattern has exactly one group: the revision it names, or `()`. The words may be links, so `]]` can follow them.
The first pattern that is found decides. Undo names the undone revision; rollback and restore the restored one.
"""

from typing import Final, NamedTuple

UNDO: Final = "undo"
ROLLBACK: Final = "rollback"
RESTORE: Final = "restore"


class Pattern(NamedTuple):
    """A regular expression that Java and Python read alike."""

    language: str
    kind: str
    regex: str


# A revision, plain or as the text of a link to it: `123`, `[[Special:Diff/123|123]]`.
_REV = r"(?:\[\[[^\[\]|]*\|)?(?:[^\W\d]+ )?(\d{2,})"

PATTERNS: Final = (
    Pattern("wikibase", UNDO, r"^/\* undo:\d*\|[^|]*\|(\d+)\|"),
    Pattern("wikibase", RESTORE, r"^/\* restore:\d*\|[^|]*\|(\d+)\|"),
    Pattern("en", UNDO, rf"\bUnd(?:id|o|oing) (?:revision|edit|version) {_REV}"),
    Pattern("en", RESTORE, rf"\b(?:Restor(?:ed|ing)|Revert(?:ed|ing)) (?:back )?(?:to )?(?:revision|version) {_REV}"),
    Pattern("en", ROLLBACK, r"\b(?:Revert(?:ed|ing)|Undid)(?:\]\])?.{0,50}? edits?\S* by (?:.*? to rev\. (\d+))?"),
    Pattern("de", UNDO, rf"Änderung {_REV} von .*rückgängig"),
    Pattern("de", ROLLBACK, r"Textänderung(?:en)? von .* verworfen und die Version .*?(\d{4,})"),
    Pattern("de", ROLLBACK, r"Änderungen von .*(?:zurückgesetzt|rückgängig gemacht)()"),
    Pattern("fr", UNDO, r"Annulation d(?:e la|es) (?:\[\[[^\]|]*?/(?=\d))?(?:modifications? )?(\d*)[^\[\]]*\]{0,2} d"),
    Pattern("fr", ROLLBACK, r"Révocation des? .*(?:retour à|version)()"),
    Pattern("es", UNDO, rf"Deshecha la (?:\[\[[^\[\]|]*\|)?(?:edición|revisión) {_REV}"),
    Pattern("es", ROLLBACK, r"Revertid[ao]s? (?:los cambios|(?:las?|una|\d+) edici(?:ón|ones)) (?:de|por)()"),
    Pattern("it", UNDO, rf"Annullata la (?:\[\[[^\[\]|]*\|)?modifica {_REV}"),
    Pattern("it", ROLLBACK, r"Annullat[ae] l[ae] modific(?:a|he) d(?:i|ell)()"),
    Pattern("pt", UNDO, rf"Desfeita a (?:edição|revisão) {_REV}"),
    Pattern("pt", ROLLBACK, r"(?:[Rr]evertidas? (?:as? )?|Reversão de (?:uma ou mais )?)ediç(?:ão|ões) (?:de|por)()"),
    Pattern("ca", UNDO, rf"Es desfà la revisió {_REV}"),
    Pattern("ca", ROLLBACK, r"Revertides les edicions d()"),
    Pattern("ro", UNDO, rf"Anularea modificării {_REV}"),
    Pattern("ro", ROLLBACK, r"Anularea modificărilor efectuate()"),
    Pattern("ru", UNDO, rf"[Оо]тмена(?:\]\])? правки {_REV}"),
    Pattern("ru", ROLLBACK, r"[Оо]ткат(?:\]\])? правок()"),
    Pattern("uk", UNDO, rf"(?:Скасування р|Скасовано р|Р)едагування(?: №)? {_REV} .*(?:Внесок|Contrib)"),
    Pattern("uk", ROLLBACK, r"Відкинуто редагування()"),
    Pattern("sr", UNDO, rf"Поништена измена (?:бр\. )?{_REV}"),
    Pattern("sr", ROLLBACK, r"Враћене измене()"),
    Pattern("pl", UNDO, rf"Anulowan(?:ie|o) (?:wersji|wersję|edycji|edycję) {_REV}"),
    Pattern("pl", ROLLBACK, r"Wycofano (?:ostatni[ea] )?(?:zmian[ęy]?|edycj[eęai])()"),
    Pattern("cs", UNDO, rf"[Vv]erze {_REV}(?:\]\])? uživatele .*zrušena"),
    Pattern("cs", ROLLBACK, r"Editace uživatele .*vráceny()"),
    Pattern("nl", UNDO, rf"(?:Versie|Bewerking) {_REV}.*ongedaan gemaakt"),
    Pattern("nl", ROLLBACK, r"Wijzigingen door .*(?:hersteld|teruggedraaid)()"),
    Pattern("sv", UNDO, rf"(?:Gjorde|Gör) version {_REV} .*ogjord"),
    Pattern("sv", ROLLBACK, r"(?:Återställt redigeringar|Redigering(?:ar)? av .*tillbakarulla)()"),
    Pattern("no", UNDO, rf"(?:Fjerner|Tilbakestilte) (?:revisjon|endring|versjon) {_REV}"),
    Pattern("no", ROLLBACK, r"Tilbakestilte endringe(?:r|ne) (?:av|fra)()"),
    Pattern("da", UNDO, rf"Fjerner version {_REV}"),
    Pattern("fi", UNDO, rf"Kumottu muokkaus {_REV}"),
    Pattern("fi", ROLLBACK, r"Käyttäjän .*muokkaukset (?:kumottiin|palautettiin)()"),
    Pattern("hu", UNDO, r"Visszavontam .*szerkesztését.*?oldid: *(\d+)"),
    Pattern("hu", ROLLBACK, r"Visszaállítottam a lap korábbi változatát()"),
    Pattern("el", UNDO, rf"Αναίρεση έκδοσης {_REV}"),
    Pattern("el", ROLLBACK, r"(?:Αναστροφή της επεξεργασίας|Ανάκληση των αλλαγών)()"),
    Pattern("tr", UNDO, r"tarafından yapılan (\d+) sayılı değişiklik geri alın"),
    Pattern("tr", ROLLBACK, r"tarafından yapılan değişiklikler geri alın()"),
    Pattern("uz", ROLLBACK, r"tahrirlari .*versiyasiga qaytarildi()"),
    Pattern("ar", UNDO, r"الرجوع عن (?:ال)?تعديل(?: \[*معر[فّ]*ة?\]*)? ?(\d+)"),
    Pattern("ar", ROLLBACK, r"الرجوع(?:\]\])? عن تعديل.* إلى نسخة (\d+)"),
    Pattern("ar", ROLLBACK, r"استرجاع تعديلات()"),
    Pattern("fa", UNDO, r"خنثی‌سازی (?:نسخهٔ|ویرایش) ?(\d+)"),
    Pattern("fa", ROLLBACK, r"ویرایش.* به آخرین تغییری که .*واگردانده شد()"),
    Pattern("he", UNDO, rf"ביטול (?:גרסה|עריכה) {_REV}"),
    Pattern("he", ROLLBACK, r"שוחזרה? מעריכ(?:ה|ות) של()"),
    Pattern("id", UNDO, rf"[Mm]embatalkan revisi {_REV}"),
    Pattern("id", ROLLBACK, r"(?:Suntingan .*(?:dikembalikan|dibatalkan) ke|[Mm]engembalikan suntingan oleh)()"),
    Pattern("vi", UNDO, rf"(?:lùi lại|hủy|Lùi) sửa đổi {_REV}"),
    Pattern("vi", ROLLBACK, r"(?:lùi lại|hủy|Lùi) (?:lại )?sửa đổi của()"),
    Pattern("ja", UNDO, r"による(?:版|ID:) ?(?:\[\[[^\[\]|]*\|)?(\d+)(?:\]\])? ?を取り消し"),
    Pattern("ja", ROLLBACK, r"による編集を.*差し戻()"),
    Pattern("zh", UNDO, r"(?:取消|撤[销銷])(?:\]\])?.*的(?:编辑|編輯|修订版本|修訂版本|版本) ?(\d{4,})"),
    Pattern("zh", ROLLBACK, r"(?:回退|恢[复復]).*(?:最后|最後|版本)()"),
    Pattern("ko", UNDO, r"의 (\d+)판 편집을 되돌림"),
    Pattern("ko", ROLLBACK, r"의 편집을 .*되돌림()"),
)  # fmt: skip
