"""Answers: requests, what the answers are made of, the model and what it costs, the pages."""

from typing import Final

from monitoring.grafana.panels import Board, Limits, Panel, Query, Row
from monitoring.grafana.promql import quantile, rate, rate_or_zero, share, total_or_zero

ASKED: Final = 'route!~"/metrics|/healthz|/readyz"'
ENDED: Final = f'{ASKED},route!~"/v1/feed|/v1/ask/stream"'
REQUESTS: Final = "freshet_api_request_seconds"
ALL: Final = rate_or_zero(f"{REQUESTS}_count{{{ASKED}}}")
FAILED: Final = share(rate_or_zero(f'{REQUESTS}_count{{{ASKED},status=~"5.."}}'), ALL)
QUIET: Final = "nobody may have asked yet"
NO_MODEL: Final = "only a model that is set and asked has them"

HTTP: Final = Row(
    "Requests",
    (
        Panel(
            "series",
            "By route",
            "Requests a second to each route, without probes and scrapes.",
            "one route takes over: see which page or client asks.",
            "reqps",
            (Query(rate(f"{REQUESTS}_count{{{ASKED}}}", "method, route"), "{{method}} {{route}}", QUIET),),
        ),
        Panel(
            "series",
            "By status",
            "Requests a second by how they ended. 429: over the limit. 503: something is away, come again.",
            "5xx appear.",
            "reqps",
            (Query(rate(f"{REQUESTS}_count{{{ASKED}}}", "status"), "{{status}}", QUIET),),
        ),
        Panel(
            "series",
            "Failed and turned away",
            "Share of the requests that ended with 500 or more, and with 429.",
            "failed is above one in a hundred.",
            "percentunit",
            (
                Query(FAILED, "failed"),
                Query(share(rate_or_zero(f'{REQUESTS}_count{{{ASKED},status="429"}}'), ALL), "turned away"),
            ),
            limits=Limits(0.001, 0.01),
            runbook="FreshetApiErrors",
        ),
        Panel(
            "series",
            "Latency",
            "How long requests take, without those that stay open: the feed and answers that are streamed.",
            "p95 stays above a second while no model writes.",
            "s",
            tuple(Query(quantile(at, REQUESTS, ENDED), f"p{at * 100:.0f}", QUIET) for at in (0.5, 0.95, 0.99)),
            span=12,
            limits=Limits(0.5, 1),
        ),
        Panel(
            "series",
            "Latency by route, p95",
            "The same by route.",
            "/v1/search is above half a second: Postgres, or the embedding of the query.",
            "s",
            (Query(quantile(0.95, REQUESTS, ENDED, "route"), "{{route}}", QUIET),),
            span=12,
            limits=Limits(0.5, 1),
        ),
    ),
)

FIRST: Final = "freshet_api_first_token_seconds"
MADE: Final = Row(
    "Answers",
    (
        Panel(
            "stacked",
            "Answers, by outcome",
            "Answers a minute: grounded or refused, by a model or extractive.",
            "refused is most of them: nothing is found, the index is empty or stale.",
            "cpm",
            (
                Query(
                    f"60 * {rate('freshet_api_answers_total', 'outcome, answerer')}", "{{outcome}}, {{answerer}}", QUIET
                ),
            ),
        ),
        Panel(
            "series",
            "First letters",
            "From a question to the first letters of its answer, by who writes it.",
            "p95 of the model is above what its server promises, or that of extractive above a second.",
            "s",
            (
                Query(quantile(0.5, FIRST, by="answerer"), "{{answerer}}: p50", QUIET),
                Query(quantile(0.95, FIRST, by="answerer"), "{{answerer}}: p95", QUIET),
            ),
        ),
        Panel(
            "bars",
            "Degraded, by part",
            "Answers a minute that lack what a part failed to give: the model or the embedding.",
            "it is not 0, where a model is set.",
            "cpm",
            (
                Query(
                    f"60 * {rate('freshet_api_answers_degraded_total', 'part')}",
                    "{{part}}",
                    "no part may have failed yet",
                ),
            ),
            runbook="FreshetAnswersBurnFast",
        ),
        Panel(
            "stat",
            "Refused",
            "Share of the answers in the time shown that are refusals: nothing was found that answers the question.",
            "it is above a half.",
            "percentunit",
            (
                Query(
                    share(
                        total_or_zero('freshet_api_answers_total{outcome="refused"}'),
                        total_or_zero("freshet_api_answers_total"),
                    ),
                    "refused",
                ),
            ),
            span=4,
            limits=Limits(0.25, 0.5),
        ),
        Panel(
            "stat",
            "Not stored",
            "Answers in the time shown that were given and could not be stored.",
            "it is not 0: Postgres was away.",
            "short",
            (Query(total_or_zero("freshet_api_answers_unstored_total"), "not stored"),),
            span=4,
            limits=Limits(1, 1),
            runbook="FreshetAnswersUnstored",
        ),
        Panel(
            "bars",
            "Feedback",
            "Ratings an hour by readers.",
            "bad ones come in a row: read those answers.",
            "short",
            (Query(f"3600 * {rate('freshet_api_feedback_total', 'rating')}", "{{rating}}", "nobody may have rated"),),
            span=8,
        ),
        Panel(
            "series",
            "Citations removed, claims dropped",
            "Citations a minute that pointed at no source, and claims without one that holds. A reader sees neither.",
            "they rise after the model or its prompt was changed.",
            "cpm",
            (
                Query(f"60 * {rate_or_zero('freshet_api_citations_removed_total')}", "citations removed"),
                Query(f"60 * {rate_or_zero('freshet_api_claims_dropped_total')}", "claims dropped"),
            ),
        ),
    ),
)

MODEL: Final = Row(
    "Model",
    (
        Panel(
            "bars",
            "Failures, by reason",
            "Answers a minute that the model failed to write. The extractive answerer wrote them instead.",
            "denied: the key; limited: the quota; unreachable or timeout: the server.",
            "cpm",
            (Query(f"60 * {rate('freshet_api_model_failures_total', 'reason')}", "{{reason}}", NO_MODEL),),
            runbook="FreshetModelFailing",
        ),
        Panel(
            "series",
            "Tokens",
            "Tokens a minute that the model read and wrote.",
            "input grows while the number of answers does not.",
            "cpm",
            (Query(f"60 * {rate('freshet_api_model_tokens_total', 'direction')}", "{{direction}}", NO_MODEL),),
        ),
        Panel(
            "stat",
            "Cost",
            "What the model cost in the time shown and would in a day at this pace, by the prices that are set.",
            "a day costs more than you mean to pay.",
            "currencyUSD",
            (
                Query(total_or_zero("freshet_api_model_cost_usd_total"), "shown"),
                Query(f"86400 * {rate_or_zero('freshet_api_model_cost_usd_total')}", "a day at this pace"),
            ),
        ),
    ),
)

PAGES: Final = Row(
    "Pages",
    (
        Panel(
            "series",
            "Open pages",
            "Pages that follow the live feed, and answers that pages wait for.",
            "answers pile up: the API or the model is slow.",
            "short",
            (
                Query("sum(freshet_ui_pages)", "pages"),
                Query("sum(freshet_ui_answering)", "waiting for an answer"),
            ),
        ),
        Panel(
            "series",
            "Questions",
            "Questions a minute that were asked on a page.",
            "it leaves what the limits are made for.",
            "cpm",
            (Query(f"60 * {rate_or_zero('freshet_ui_questions_total')}", "questions"),),
        ),
        Panel(
            "bars",
            "Feed opened anew",
            "Times a minute that the pages had to open the API's feed anew.",
            "it is not 0 without a restart of the API.",
            "cpm",
            (Query(f"60 * {rate_or_zero('freshet_ui_feed_reconnects_total')}", "opened anew"),),
        ),
    ),
)

BOARD: Final = Board(
    "freshet-answers",
    "Freshet: answers",
    "What is asked, how it is answered, what a model does and costs, and the pages.",
    (HTTP, MADE, MODEL, PAGES),
)
