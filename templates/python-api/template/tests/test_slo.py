import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_alert_rules_are_made_from_slo_yaml() -> None:
    made = subprocess.run(
        [sys.executable, "scripts/slo_rules.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert (ROOT / "observability/slo-rules.yaml").read_text() == made, "run `make slo`"
