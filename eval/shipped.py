"""Put the scores of a report into the page, which shows them until a home has a report of its own.

python -m eval.shipped FOLDER_OF_THE_REPORT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app.page.evaluation import SHIPPED


def shipped(report: dict[str, object]) -> dict[str, object]:
    """What is shipped of a report: its scores, without cases, whose answers would be old."""
    return {key: report[key] for key in ("header", "metrics", "kinds", "calibration")} | {"rows": []}


if __name__ == "__main__":
    made = json.loads((Path(sys.argv[1]) / "report.json").read_text(encoding="utf-8"))
    SHIPPED.write_text(json.dumps(shipped(made), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
