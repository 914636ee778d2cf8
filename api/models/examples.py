"""An answer as the description shows it."""

from typing import Any, Final

from api.models.pages import PAGE

ANSWER_ID: Final = "7f0c1f5e-0a53-4a6d-9c3b-0f4f4f0f7d11"

CITATION: Final[dict[str, Any]] = {
    "n": 1,
    "doc_id": "7f7a1f3c-21c5-4c8a-9a80-6f1f6b8c0c11",
    "title": "Maputo–Katembe bridge",
    "wiki": "enwiki",
    "section": "History",
    "comment": "added the toll of 2026",
    "event_time": "2026-11-23T10:15:29Z",
    "age_seconds": 12.5,
    "user_kind": "registered",
    "bytes_delta": 226,
    "page": PAGE,
    "revert_kind": "undo",
    "reverted": False,
    "page_url": "https://en.wikipedia.org/wiki/Maputo%E2%80%93Katembe_bridge",
    "diff_url": "https://en.wikipedia.org/w/index.php?diff=1318000302&oldid=1318000300",
    "source": "live",
    "quote": "Maputo–Katembe bridge. History. added the toll of 2026",
    "score": 1.05,
    "scores": {"vector": 0.61, "page": 0.66, "words": 1.0},
}

GROUNDS: Final[dict[str, Any]] = {
    "answer_id": ANSWER_ID,
    "outcome": "grounded",
    "answerer": "model",
    "citations": [CITATION],
    "searched": {
        "documents": 12840,
        "oldest_event_time": "2026-11-23T09:15:40Z",
        "newest_event_time": "2026-11-23T10:15:40Z",
        "wikis": ["enwiki"],
    },
    "freshness": {"newest_event_time": "2026-11-23T10:15:40Z", "newest_searchable_at": "2026-11-23T10:15:40.6Z"},
    "degraded": {},
}

ANSWER: Final[dict[str, Any]] = {
    **GROUNDS,
    "question": "What is changing about bridges in Africa in the last hour?",
    "answer": "The toll of the Maputo–Katembe bridge was brought up to date. [1]",
    "model": "gpt-5.6-luna",
    "usage": {"input_tokens": 900, "output_tokens": 40, "cost_usd": 0.000228},
    "window": {"words": "in the last hour", "since": "2026-11-23T09:15:41Z", "until": "2026-11-23T10:15:41Z"},
    "sources": ["live"],
    "timings": {"retrieval_ms": 12.1, "first_token_ms": 480.2, "total_ms": 1203.9},
    "took_ms": 1203.9,
}

COMPLETION: Final[dict[str, Any]] = {
    "id": f"chatcmpl-{ANSWER_ID}",
    "object": "chat.completion",
    "created": 1795429041,
    "model": "freshet",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "The toll was brought up to date. [1](https://en.wikipedia.org/w/index.php?diff=1318000302)",
                "annotations": [
                    {
                        "type": "url_citation",
                        "url_citation": {
                            "start_index": 33,
                            "end_index": 92,
                            "title": "Maputo–Katembe bridge (enwiki)",
                            "url": "https://en.wikipedia.org/w/index.php?diff=1318000302",
                        },
                    }
                ],
            },
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 900, "completion_tokens": 40, "total_tokens": 940},
    "freshet": GROUNDS,
}
