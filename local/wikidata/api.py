"""`wbgetentities` as Wikibase does it: which requests it takes, and what it answers. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from freshet.contract.pages import Page
from local.wikidata.items import Item

MOST_VALUES: Final = 50
SEPARATOR: Final = "\x1f"

Answer = dict[str, Any]


def answer(parameters: Mapping[str, str], items: Mapping[Page, Item], *, pairs: bool = True) -> Answer:
    """The JSON of an answer, or of an error. Without `pairs` it takes only one site at a time."""
    if parameters.get("action") != "wbgetentities":
        return error("badvalue", f'Unrecognized value for parameter "action": {parameters.get("action")}.')
    sites, titles = _values(parameters, "sites"), _values(parameters, "titles")
    for name, values in (("sites", sites), ("titles", titles), ("languages", _values(parameters, "languages"))):
        if len(values) > MOST_VALUES:
            return error("toomanyvalues", f'Too many values supplied for parameter "{name}". The limit is 50.')
    if not sites or not titles:
        return error("param-missing", "Either provide the item ids or pairs of sites and titles.")
    alone = 1 in (len(sites), len(titles)) if pairs else len(sites) == 1
    if not alone and (not pairs or len(sites) != len(titles)):
        return error("params-illegal", "Must request one site or one title, or an equal number of sites and titles.")
    if "normalize" in parameters and len(titles) != 1:
        return error("params-illegal", "Normalize is only allowed if exactly one site and one page have been given.")
    return _answer(_asked(sites, titles), parameters, items)


def error(code: str, info: str, **more: Any) -> Answer:
    """The JSON of an error."""
    return {"error": {"code": code, "info": info, **more}, "servedby": "stand-in"}


def _asked(sites: Sequence[str], titles: Sequence[str]) -> list[Page]:
    if len(sites) == len(titles):
        return [Page(*pair) for pair in zip(sites, titles, strict=True)]
    return [Page(site, title) for site in sites for title in titles]


def _answer(asked: Sequence[Page], parameters: Mapping[str, str], items: Mapping[Page, Item]) -> Answer:
    names: Answer = {}
    if "normalize" in parameters:
        ((wiki, title),) = asked
        normal = title[:1].upper() + title[1:].replace("_", " ")
        names = {"normalized": {"n": {"from": title, "to": normal}}} if normal != title else {}
        asked = [Page(wiki, normal)]
    entities: Answer = {}
    for page in asked:
        item = items.get(page)
        if item is None:
            entities[str(-1 - len(entities))] = {"site": page.wiki, "title": page.title, "missing": ""}
        else:
            entity = entities.setdefault(item.item_id, _entity(item, parameters))
            if "sitelinks" in entity:
                # PHP's array without members is a list
                entity["sitelinks"] = {**(entity["sitelinks"] or {}), **_sitelink(page, parameters)}
    return {"entities": entities, **names, "success": 1}


def _entity(item: Item, parameters: Mapping[str, str]) -> Answer:
    wanted = _values(parameters, "props")
    english = "en" in _values(parameters, "languages")
    texts = {"labels": item.label, "descriptions": item.description}
    said = {
        name: {"en": {"language": "en", "value": text}} if text and english else []
        for name, text in texts.items()
        if name in wanted
    }
    return {"type": "item", "id": item.item_id, **said, **({"sitelinks": []} if "sitelinks" in wanted else {})}


def _sitelink(page: Page, parameters: Mapping[str, str]) -> Answer:
    only = _values(parameters, "sitefilter")
    return {} if only and page.wiki not in only else {page.wiki: {"site": page.wiki, "title": page.title, "badges": []}}


def _values(parameters: Mapping[str, str], name: str) -> list[str]:
    text = parameters.get(name, "")
    if text.startswith(SEPARATOR):
        return text[1:].split(SEPARATOR)
    return text.split("|") if text else []
