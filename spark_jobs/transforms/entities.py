"""HTML entities in a text, decoded once: `&amp;lt;` becomes `&lt;`, as a browser would show it."""

from itertools import chain
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as fn

# The names that occur in edit summaries; any other name stays as it was written.
NAMED: Final = {
    "amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " ", "thinsp": " ", "ensp": " ", "emsp": " ",
    "ndash": "–", "mdash": "—", "minus": "−", "hellip": "…", "middot": "·", "bull": "•", "times": "×", "divide": "÷",
    "deg": "°", "plusmn": "±", "sect": "§", "para": "¶", "copy": "©", "reg": "®", "trade": "™", "euro": "€",
    "pound": "£", "yen": "¥", "cent": "¢", "larr": "←", "rarr": "→", "uarr": "↑", "darr": "↓", "harr": "↔",
    "laquo": "«", "raquo": "»", "lsaquo": "‹", "rsaquo": "›", "lsquo": "‘", "rsquo": "’", "sbquo": "‚",
    "ldquo": "“", "rdquo": "”", "bdquo": "„", "prime": "′", "Prime": "″", "iexcl": "¡", "iquest": "¿",
    "frac12": "½", "frac14": "¼", "frac34": "¾", "sup2": "²", "sup3": "³", "ordf": "ª", "ordm": "º",
    "szlig": "ß", "auml": "ä", "ouml": "ö", "uuml": "ü", "Auml": "Ä", "Ouml": "Ö", "Uuml": "Ü",
    "aacute": "á", "eacute": "é", "iacute": "í", "oacute": "ó", "uacute": "ú", "ntilde": "ñ", "ccedil": "ç",
    "agrave": "à", "egrave": "è", "igrave": "ì", "ograve": "ò", "ugrave": "ù", "acirc": "â", "ecirc": "ê",
    "icirc": "î", "ocirc": "ô", "ucirc": "û", "atilde": "ã", "otilde": "õ", "aring": "å", "aelig": "æ", "oslash": "ø",
    "lrm": "", "rlm": "", "zwj": "\u200d", "zwnj": "\u200c", "shy": "",
}  # fmt: skip

_ENTITY: Final = r"^&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,9});"


def decode(text: Column) -> Column:
    """The text with its named (see NAMED) and numeric entities as characters."""
    # Few texts have one, and looking is much cheaper than taking them apart.
    return fn.when(text.contains("&"), fn.array_join(fn.transform(fn.split(text, "(?=&)"), _piece), "")).otherwise(text)


def _piece(piece: Column) -> Column:
    """One stretch that holds at most one entity, at its start."""
    name = fn.regexp_extract(piece, _ENTITY, 1)
    names = fn.create_map(*(fn.lit(part) for part in chain.from_iterable(NAMED.items())))
    char = fn.when(name.startswith("#"), _numeric(name)).otherwise(fn.try_element_at(names, name))
    decoded = fn.concat(char, fn.substr(piece, fn.length(name) + 3))
    return fn.when(name == "", piece).otherwise(fn.coalesce(decoded, piece))


def _numeric(name: Column) -> Column:
    """`#8364` or `#x20AC` as its character; null for what is none (a surrogate, beyond Unicode, NUL)."""
    hexadecimal = fn.lower(name).startswith("#x")
    code = fn.when(hexadecimal, fn.conv(fn.substr(name, fn.lit(3)), 16, 10)).otherwise(fn.substr(name, fn.lit(2)))
    number = code.try_cast("int")
    is_character = number.between(1, 0xD7FF) | number.between(0xE000, 0x10FFFF)
    # Spark's chr() ends at 255; four big-endian bytes are the character in UTF-32.
    return fn.when(is_character, fn.decode(fn.unhex(fn.lpad(fn.hex(number), 8, "0")), "UTF-32"))
