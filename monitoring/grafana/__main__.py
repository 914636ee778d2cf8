"""`python -m monitoring.grafana`: writes every dashboard as JSON into `dashboards/`."""

from monitoring.grafana.boards import BOARDS
from monitoring.grafana.build import text
from monitoring.grafana.expressions import FOLDER

if __name__ == "__main__":
    for board in BOARDS:
        (FOLDER / f"{board.uid}.json").write_text(text(board))
