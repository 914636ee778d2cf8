"""Structured logs: one JSON object a line on standard error, which the supervisor keeps per process."""

import logging
import sys
import threading
from types import TracebackType
from typing import NoReturn

import structlog
from structlog.typing import FilteringBoundLogger, Processor


def configure(process: str, level: str = "info") -> FilteringBoundLogger:
    """Send this process' logs, those of its libraries, warnings and what nobody catches to standard error. Returns the
    process' logger."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # what Python itself would write there in lines of its own
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda died: _uncaught(died.exc_type, died.exc_value, died.exc_traceback)
    for chatty in ("httpx", "httpcore", "py4j"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(process=process)
    return get()


def get() -> FilteringBoundLogger:
    """The logger of this process."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def end(error: Exception) -> NoReturn:
    """End the process with 1, and say why: in a log line, or in plain words when its settings were not read yet."""
    if not structlog.is_configured():
        sys.exit(f"error: {error}")
    get().critical("end", error=str(error))
    sys.exit(1)


def _uncaught(kind: type[BaseException], error: BaseException | None, where: TracebackType | None) -> None:
    if error is not None and not issubclass(kind, KeyboardInterrupt | SystemExit):
        get().critical("nobody caught this", exc_info=(kind, error, where))
