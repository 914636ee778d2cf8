"""How wikis say that an edit undoes others: MediaWiki's standard summaries and those of the common tools, as data.

A pattern that names a revision ends with it, and looks ahead at what must follow. Undo names the undone revision;
rollback and restore name the restored one. Words may be links, so `]]` can follow them.
"""

from typing import Final

# A revision, plain or as the text of a link to it: `123`, `[[Special:Diff/123|123]]`, `[[...|edición 123]]`
_REV = r"(?:\[\[[^\[\]|]*\|)?(?:[^\W\d]+ )?\d{2,}"

EVERYWHERE: Final = ("wikibase", "en")
"""Tools write English on every wiki, and so does a wiki that has not translated a message."""

UNDO: Final[dict[str, tuple[str, ...]]] = {
    "wikibase": (r"^/\* undo:\d*\|[^|]*\|\d+(?=\|)",),
    "en": (rf"\bUnd(?:id|o|oing) (?:revision|edit|version) {_REV}",),
    "de": (rf"Änderung {_REV}(?=.* von .*rückgängig)",),
    "fr": (
        rf"Annulation d(?:e la|es) modifications? {_REV}",
        r"Annulation d(?:e la|es) \[\[[^\[\]|]*/\d+(?=\|modification)",
        r"Annulation d(?:e la|es) modifications?(?= d)",
    ),
    "es": (rf"Deshecha la (?:\[\[[^\[\]|]*\|)?(?:edición|revisión) {_REV}",),
    "it": (rf"Annullata la (?:\[\[[^\[\]|]*\|)?modifica {_REV}",),
    "pt": (rf"Desfeita a (?:edição|revisão) {_REV}",),
    "ca": (rf"Es desfà la revisió {_REV}",),
    "ro": (rf"Anularea modificării {_REV}",),
    "ru": (rf"[Оо]тмена(?:\]\])? правки {_REV}",),
    "uk": (rf"Скасува(?:ння|но) редагування(?: №)? {_REV}", rf"Редагування(?: №)? {_REV}(?=.*скасован)"),
    "sr": (rf"Поништена измена (?:бр\. )?{_REV}",),
    "pl": (rf"Anulowan(?:ie|o) (?:wersji|wersję|edycji|edycję) {_REV}",),
    "cs": (rf"[Vv]erze {_REV}(?=(?:\]\])? uživatele .*zrušena)",),
    "nl": (rf"(?:Versie|Bewerking) {_REV}(?=.*ongedaan gemaakt)",),
    "sv": (rf"(?:Gjorde|Gör) version {_REV}(?= .*ogjord)",),
    "no": (rf"(?:Fjerner|Tilbakestilte) (?:revisjon|endring|versjon) {_REV}",),
    "da": (rf"Fjerner version {_REV}",),
    "fi": (rf"Kumottu muokkaus {_REV}",),
    "hu": (r"Visszavontam .*szerkesztését.*?oldid: *\d+",),
    "el": (rf"Αναίρεση έκδοσης {_REV}",),
    "tr": (r"tarafından yapılan \d+(?= sayılı değişiklik geri alın)",),
    "ar": (r"الرجوع عن (?:ال)?تعديل(?: \[*معر[فّ]*ة?\]*)? ?\d+",),
    "fa": (r"خنثی‌سازی (?:نسخهٔ|ویرایش) ?\d+",),
    "he": (rf"ביטול (?:גרסה|עריכה) {_REV}",),
    "id": (rf"[Mm]embatalkan revisi {_REV}",),
    "vi": (rf"(?:lùi lại|hủy|Lùi) sửa đổi {_REV}",),
    "ja": (r"による(?:版|ID:) ?(?:\[\[[^\[\]|]*\|)?\d+(?=(?:\]\])? ?を取り消し)",),
    "zh": (r"(?:取消|撤[销銷])(?:\]\])?.*的(?:编辑|編輯|修订版本|修訂版本|版本) ?\d{4,}",),
    "ko": (r"의 \d+(?=판 편집을 되돌림)",),
}

RESTORE: Final[dict[str, tuple[str, ...]]] = {
    "wikibase": (r"^/\* restore:\d*\|[^|]*\|\d+(?=\|)",),
    "en": (rf"\b(?:Restor(?:ed|ing)|Revert(?:ed|ing)) (?:back )?(?:to )?(?:revision|version) {_REV}",),
}

ROLLBACK: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        r"\bReverting edits?\(s\) by .* to rev\. \d+",
        r"\b(?:Revert(?:ed|ing)|Undid)(?:\]\])?.{0,50}? edits?\S* by(?= )",
    ),
    "de": (
        r"Textänderung(?:en)? von .* verworfen und die Version .*?\d{4,}",
        r"Änderungen von .*(?:zurückgesetzt|rückgängig gemacht)",
    ),
    "fr": (r"Révocation des? .*(?:retour à|version)",),
    "es": (r"Revertid[ao]s? (?:los cambios|(?:las?|una|\d+) edici(?:ón|ones)) (?:de|por)",),
    "it": (r"Annullat[ae] l[ae] modific(?:a|he) d(?:i|ell)",),
    "pt": (r"(?:[Rr]evertidas? (?:as? )?|Reversão de (?:uma ou mais )?)ediç(?:ão|ões) (?:de|por)",),
    "ca": (r"Revertides les edicions d",),
    "ro": (r"Anularea modificărilor efectuate",),
    "ru": (r"[Оо]ткат(?:\]\])? правок",),
    "uk": (r"Відкинуто редагування",),
    "sr": (r"Враћене измене",),
    "pl": (r"Wycofano (?:ostatni[ea] )?(?:zmian[ęy]?|edycj[eęai])",),
    "cs": (r"Editace uživatele .*vráceny",),
    "nl": (r"Wijzigingen door .*(?:hersteld|teruggedraaid)",),
    "sv": (r"Återställt redigeringar", r"Redigering(?:ar)? av .*tillbakarulla"),
    "no": (r"Tilbakestilte endringe(?:r|ne) (?:av|fra)",),
    "fi": (r"Käyttäjän .*muokkaukset (?:kumottiin|palautettiin)",),
    "hu": (r"Visszaállítottam a lap korábbi változatát",),
    "el": (r"Αναστροφή της επεξεργασίας", r"Ανάκληση των αλλαγών"),
    "tr": (r"tarafından yapılan değişiklikler geri alın",),
    "uz": (r"tahrirlari .*versiyasiga qaytarildi",),
    "ar": (r"الرجوع(?:\]\])? عن تعديل.* إلى نسخة \d+", r"استرجاع تعديلات"),
    "fa": (r"ویرایش.* به آخرین تغییری که .*واگردانده شد",),
    "he": (r"שוחזרה? מעריכ(?:ה|ות) של",),
    "id": (r"Suntingan .*(?:dikembalikan|dibatalkan) ke", r"[Mm]engembalikan suntingan oleh"),
    "vi": (r"(?:lùi lại|hủy|Lùi) (?:lại )?sửa đổi của",),
    "ja": (r"による編集を.*差し戻",),
    "zh": (r"(?:回退|恢[复復]).*(?:最后|最後|版本)",),
    "ko": (r"의 편집을 .*되돌림",),
}


def by_language(patterns: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """One regular expression a language: its own patterns and those that occur on every wiki.

    The key "" has only the latter. Searching for one language's words instead of all took a sixth of the time.
    """
    everywhere = [pattern for name in EVERYWHERE for pattern in patterns.get(name, ())]
    own = {name: [*group, *everywhere] for name, group in patterns.items() if name not in EVERYWHERE}
    return {name: "|".join(f"(?:{pattern})" for pattern in group) for name, group in {"": everywhere, **own}.items()}
