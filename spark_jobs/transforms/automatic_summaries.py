"""How MediaWiki and the common bots' helpers begin a summary that nobody wrote, after cleaning, as data."""

from typing import Final

_BEGINNINGS: Final = (
    "←", "Created page with", "Created by translating", "Redirected page to", "Removed redirect to", "Blanked the page",
    "Replaced content with", "Changed redirect target", "Wikidata list updated",
    "AZ: Die Seite wurde neu angelegt", "Die Seite wurde neu angelegt", "Weiterleitung nach", "Weiterleitungsziel",
    "Page créée avec", "Page redirigée vers", "Page blanchie", "Contenu remplacé", "Redirection vers",
    "Página creada con", "Página redirigida a", "Página blanqueada", "Creado al traducir",
    "Nuova pagina", "Creata pagina con", "Creato dalla traduzione", "Redirect alla pagina", "Svuotata la pagina",
    "nova página", "Criou nova página", "Criou a página", "Redirecionando para",
    "Nieuwe pagina", "Nieuwe pagina aangemaakt", "Doorverwijzing naar", "Verwijst door naar",
    "Новая страница", "Перенаправление на", "Полностью удалено содержимое", "Создано переводом",
    "Нова сторінка", "Створена сторінка", "Створено шляхом перекладу", "Перенаправлено на",
    "Нова страница", "Нов редирект", "Utworzono nową stronę", "Nowa strona", "Przekierowanie do",
    "Skapade sidan", "Ny sida", "Ak: Uusi sivu", "Uusi sivu", "Opprettet siden", "Ny side",
    "Založena nová stránka", "Új oldal", "Naujas puslapis", "Yeni sayfa", "Νέα σελίδα", "Nova pàgina",
    "Membuat halaman berisi", "Mengalihkan ke", "Đã tạo trang", "Trang mới", "צירוף דף", "דף חדש", "יצירת דף",
    "أنشأ الصفحة", "إنشاء الصفحة", "تحويل إلى", "صفحهٔ تازه", "صفحه‌ای جدید",
    "ページの作成", "新しいページ", "转向", "重定向到", "建立内容为", "建立內容為", "创建页面", "새 문서", "Նոր էջ",
)  # fmt: skip

AUTOMATIC: Final = f"^(?:{'|'.join(_BEGINNINGS)})"
"""One regular expression that Java and Python read alike."""
