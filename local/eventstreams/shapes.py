"""The shapes of a change: edits, items, files, categories, logs. Each is a function of the index and of luck."""

import html
import random
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from local.eventstreams.corpus import AUTHORS, BOTS, FILES, ITEM_BOTS, PEOPLE, UNTRUSTED, Page, pages
from local.eventstreams.source import iso_ms

FIRST_REVISION = 1_318_000_000
FIRST_CHANGE = 1_900_000_000
# People edit the Wikipedias, machines Wikidata: together nearly half of all.
BOT_SHARE, ITEM_BOT_SHARE = 0.3, 0.75
WIKILINK = re.compile(r"\[\[:?([^\]|]+)(?:\|([^\]]*))?\]\]")
SECTION = re.compile(r"^/\* (.*?) \*/ ?")


@dataclass(frozen=True)
class Edit:
    """Who edited which page in which revision."""

    page: Page
    user: str
    bot: bool
    revision: int


def edit(index: int, rng: random.Random) -> Edit:
    """The facts of the page edit that this index makes."""
    bot = rng.random() < BOT_SHARE
    return Edit(rng.choice(pages()), rng.choice(BOTS) if bot else person(rng), bot, FIRST_REVISION + index)


def person(rng: random.Random) -> str:
    """A registered name, a temporary account, or an address."""
    share = rng.random()
    if share < 0.7:
        return rng.choice(PEOPLE)
    if share < 0.95:
        return f"~2026-{rng.randint(10_000, 99_999)}-{rng.randint(1, 99)}"
    return f"2001:DB8:0:0:0:0:0:{rng.randint(1, 0xFFFF):X}" if share < 0.97 else f"198.51.100.{rng.randint(1, 254)}"


def page_edit(index: int, rng: random.Random) -> dict[str, Any]:
    """An edit to, or the creation of, a page or its talk page."""
    made = edit(index, rng)
    talk, new = rng.random() < 0.1, rng.random() < 0.05
    title = f"{made.page.wiki.talk}:{made.page.title}" if talk else made.page.title
    changed = _change(made.page.wiki.name, made.page.wiki.domain, title, index, 1 if talk else 0, made)
    return {**changed, **_comment(_summary(made.page, rng), title), **_sizes(index, rng, new=new)}


def undo(index: int, rng: random.Random, target: Edit) -> dict[str, Any]:
    """The undoing of another edit, in the words of its wiki."""
    page = target.page
    form = rng.choice((page.wiki.undo, page.wiki.rollback))
    comment = form.format(user=target.user, rev=target.revision, other=rng.choice(PEOPLE))
    made = Edit(page, rng.choice(PEOPLE), False, FIRST_REVISION + index)
    changed = _change(page.wiki.name, page.wiki.domain, page.title, index, 0, made)
    sizes = _sizes(index, rng, new=False)
    return {
        **changed,
        **_comment(comment, page.title),
        **sizes,
        "revision": {"old": target.revision, "new": made.revision},
    }


def item_edit(index: int, rng: random.Random) -> dict[str, Any]:
    """An edit to a Wikidata item, most often by a bot."""
    bot = rng.random() < ITEM_BOT_SHARE
    made = Edit(pages()[0], rng.choice(ITEM_BOTS) if bot else person(rng), bot, FIRST_REVISION + index)
    item = f"Q{rng.randint(1, 130_000_000)}"
    comment = rng.choice((
        f"/* wbsetclaim-create:2||1 */ [[Property:P31]]: [[Q{rng.randint(5, 99_999)}]], #quickstatements",
        f"/* wbsetlabel-add:1|{rng.choice(('en', 'de', 'ja', 'ar'))} */ {rng.choice(pages()).title}",
        f"/* wbsetdescription-set:1|en */ {rng.choice(('scientific article', 'Wikimedia category', 'asteroid'))}",
        "/* wbeditentity-update:0| */ import of identifiers, batch 4711",
    ))  # fmt: skip
    changed = _change("wikidatawiki", "www.wikidata.org", item, index, 0, made)
    return {**changed, **_comment(comment, item), **_sizes(index, rng, new=rng.random() < 0.04)}


def file_edit(index: int, rng: random.Random) -> dict[str, Any]:
    """An edit to a file page of Commons."""
    bot, title = rng.random() < 0.5, f"File:{rng.choice(FILES)}"
    made = Edit(pages()[0], rng.choice(BOTS) if bot else person(rng), bot, FIRST_REVISION + index)
    comment = rng.choice(
        (f"/* wbcreateclaim-create:1| */ [[d:Special:EntityPage/P180]]: [[d:Q{index}]]", "+ [[Category:2026]]")
    )
    changed = _change("commonswiki", "commons.wikimedia.org", title, index, 6, made)
    return {**changed, **_comment(comment, title), **_sizes(index, rng, new=False)}


def categorized(index: int, rng: random.Random) -> dict[str, Any]:
    """A page's entering a category, on Commons or a Wikipedia; it has no sizes and no revision."""
    made = edit(index, rng)
    wiki, commons = made.page.wiki, rng.random() < 0.6
    member = f"File:{rng.choice(FILES)}" if commons else made.page.title
    title = f"Category:{member[5:].split('.')[0]}" if commons else f"{wiki.category}:{made.page.title}"
    name, domain = ("commonswiki", "commons.wikimedia.org") if commons else (wiki.name, wiki.domain)
    comment = f"[[:{member}]] {'added to category' if commons else wiki.categorized}"
    changed = _change(name, domain, title, index, 14, made)
    return {**changed, "type": "categorize", **_comment(comment, title)}


def logged(index: int, rng: random.Random) -> dict[str, Any]:
    """A log event. `log_params` is an object, an array, or a text, as at Wikimedia."""
    made = edit(index, rng)
    kind, action, params = rng.choice((
        ("abusefilter", "hit", {"action": "edit", "filter": str(rng.randint(1, 900)), "actions": "", "log": index}),
        ("upload", "upload", {"img_sha1": "2wi7o302x9zl0ldxstnksh9zvc6fepu", "img_timestamp": "20261123101530"}),
        ("move", "move", {"target": f"{made.page.title} (topic)", "noredir": "0"}),
        ("delete", "delete", []),
        ("thanks", "thank", []),
        ("newusers", "create", {"userid": 50_000_000 + index}),
        ("block", "block", {"duration": "1 day", "flags": "anononly,nocreate", "sitewide": True}),
        ("patrol", "patrol", "autopatrolled"),
    ))  # fmt: skip
    # pages that are deleted were drafts: who watches articles would lose them every minute
    title = f"{made.page.title} (draft {index})" if kind == "delete" else made.page.title
    changed = _change(made.page.wiki.name, made.page.wiki.domain, title, index, 0, made)
    log = {"log_id": 160_000_000 + index, "log_type": kind, "log_action": action, "log_params": params}
    return {**changed, "type": "log", **log, "log_action_comment": f"{kind} [[{title}]]", **_comment("", "")}


def numbered_type(index: int, rng: random.Random) -> dict[str, Any]:
    """A change of an extension, whose type is a number written as text."""
    made = edit(index, rng)
    title = f"Topic:Wf{index}"
    changed = _change(made.page.wiki.name, made.page.wiki.domain, title, index, 2600, made)
    return {**changed, "type": "142", **_comment(f'{made.user} commented on "{made.page.title}"', title)}


def written_time(timestamp_ms: int, rng: random.Random) -> str:
    """meta.dt with milliseconds; sometimes, as in older events, with seconds only."""
    text = iso_ms(timestamp_ms)
    return text if rng.random() < 0.95 else text[:-5] + "Z"


def with_oddities(event: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The event, now and then with numbers as texts, null members, or members left out."""
    share = rng.random()
    if share < 0.01:
        return {**event, "id": str(event["id"]), "namespace": str(event["namespace"])}
    if share < 0.02:
        return {**event, "minor": None, "length": {"old": None, "new": 512}}
    if share < 0.03:
        return {name: value for name, value in event.items() if name not in ("id", "length", "parsedcomment")}
    return event


def _summary(page: Page, rng: random.Random) -> str:
    share = rng.random()
    if share < 0.02:
        return rng.choice(UNTRUSTED)
    if share < 0.1:
        return ""
    section = f"/* {rng.choice(page.sections)} */ " if rng.random() < 0.65 else ""
    return section + rng.choice(page.summaries if share < 0.8 else page.wiki.summaries) + _reference(rng)


def _reference(rng: random.Random) -> str:
    """A source, most often: it makes summaries as various as real ones, so that few texts are the same."""
    if rng.random() < 0.2:
        return ""
    return f" ({rng.choice(AUTHORS)} {rng.randint(1987, 2026)}, p. {rng.randint(1, 640)})"


def _change(wiki: str, domain: str, title: str, index: int, namespace: int, made: Edit) -> dict[str, Any]:
    server = f"https://{domain}"
    diff = f"{server}/w/index.php?diff={made.revision}&oldid={made.revision - 1}&rcid={FIRST_CHANGE + index}"
    return {
        "id": FIRST_CHANGE + index, "type": "edit", "namespace": namespace, "title": title,
        "title_url": f"{server}/wiki/{quote(title.replace(' ', '_'), safe='/:(),')}", "user": made.user,
        "bot": made.bot, "notify_url": diff, "server_url": server, "server_name": domain,
        "server_script_path": "/w", "wiki": wiki,
    }  # fmt: skip


def _sizes(index: int, rng: random.Random, *, new: bool) -> dict[str, Any]:
    old, revision = rng.randint(500, 180_000), FIRST_REVISION + index
    if new:
        return {"type": "new", "minor": False, "length": {"new": old}, "revision": {"new": revision}}
    size = max(0, old + int(rng.gauss(40, 300)))
    sizes = {"old": old, "new": size}
    return {"minor": rng.random() < 0.25, "length": sizes, "revision": {"old": revision - 1, "new": revision}}


def _comment(comment: str, title: str) -> dict[str, str]:
    if not comment:
        return {"comment": "", "parsedcomment": ""}
    rest = WIKILINK.sub(_anchor, html.escape(SECTION.sub("", comment)))
    if section := SECTION.match(comment):
        name = html.escape(section[1])
        link = f'<a href="/wiki/{quote(title)}#{quote(section[1])}" title="{html.escape(title)}">→\u200e{name}</a>'
        rest = f'<span class="autocomment">{link}</span>: {rest}'
    return {"comment": comment, "parsedcomment": rest}


def _anchor(link: re.Match[str]) -> str:
    return f'<a href="/wiki/{quote(link[1])}" title="{link[1]}">{link[2] or link[1]}</a>'
