"""Row of the pipeline's dashboard: what pages are about."""

from typing import Final

from monitoring.grafana.panels import Limits, Panel, Query, Row
from monitoring.grafana.promql import quantile, rate, share

LOOKUPS: Final = "freshet_context_lookups_total"
UNTIL_DESCRIBED: Final = "freshet_context_received_to_described_seconds"
STALLED: Final = "FreshetContextStalled"

CONTEXT: Final = Row(
    "What pages are about",
    (
        Panel(
            "series",
            "Received to described",
            "Age of a live edit when the page of which nothing was known is described, p50 and p95.",
            "p50 is above some seconds: more new pages are edited than may be asked about, or the source is slow.",
            "s",
            tuple(Query(quantile(at, UNTIL_DESCRIBED), f"p{at * 100:.0f}") for at in (0.5, 0.95)),
            limits=Limits(60, 600),
            runbook=STALLED,
        ),
        Panel(
            "series",
            "Pages waiting",
            "Pages to ask about, and how long the edit waits that has waited longest for what its page is about.",
            "the time rises and does not fall: the source is away, or the rate is too low.",
            "short",
            (
                Query("max(freshet_context_waiting_pages)", "pages"),
                Query("max(freshet_context_waiting_seconds)", "longest, s"),
            ),
            runbook=STALLED,
        ),
        Panel(
            "bars",
            "Requests, by how they ended",
            "Requests for descriptions a minute. There are 60 at most, unless a setting says otherwise.",
            "throttled, timeout or another than answered stays.",
            "cpm",
            (Query(f"60 * {rate('freshet_context_requests_total', 'outcome')}", "{{outcome}}"),),
            runbook=STALLED,
        ),
        Panel(
            "bars",
            "Pages, by what was answered",
            "Pages a minute that were described, are known to have no item, or are tried again.",
            "failed is more than a few.",
            "cpm",
            (Query(f"60 * {rate('freshet_context_pages_total', 'outcome')}", "{{outcome}}"),),
        ),
        Panel(
            "series",
            "Known already",
            "Share of the pages of edits that need not be asked about.",
            "it stays low long after the start: descriptions are not kept, or grow old too soon.",
            "percentunit",
            (Query(share(rate(f'{LOOKUPS}{{outcome="known"}}'), rate(LOOKUPS)), "known"),),
        ),
        Panel(
            "bars",
            "Pages moved and deleted",
            "Moves and deletions a minute by what became of them; lost where the raw record of a move is gone.",
            "lost is not 0.",
            "cpm",
            (
                Query(
                    f"60 * {rate('freshet_context_page_changes_total', 'outcome')}",
                    "{{outcome}}",
                    "no page may have been moved or deleted yet",
                ),
            ),
        ),
        Panel(
            "states",
            "Asking is paused",
            "By the circuit breaker: so many requests in a row failed that one is tried now and then.",
            "it is: what the last request ended with is its name.",
            "short",
            (Query("max by (outcome) (freshet_context_paused)", "{{outcome}}", "nothing is paused where all is well"),),
            span=24,
            height=4,
            names={"1": ("paused", "red"), "0": ("asking", "green")},
            runbook=STALLED,
        ),
    ),
)
