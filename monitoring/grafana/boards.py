"""All dashboards."""

from typing import Final

from monitoring.grafana import answers, overview, pipeline, upkeep
from monitoring.grafana.panels import Board

BOARDS: Final[tuple[Board, ...]] = (overview.BOARD, pipeline.BOARD, answers.BOARD, upkeep.BOARD)
TITLES: Final = {board.uid: board.title for board in BOARDS}
