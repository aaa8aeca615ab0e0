"""How long commands take that train nothing: python benchmarks/start.py.

The suite is built with --quick in a folder of its own first, which trains for some seconds.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from costs import HEAD, cost, reportgen
from measuring import ROOT, machine, table

TIMES = 7
SUITE = ROOT / "experiments" / "suite_rnn_vs_lstm.yaml"


def main() -> None:
    """Print a table of commands."""
    with tempfile.TemporaryDirectory() as folder:
        quick = (SUITE, "--quick", "--build-dir", Path(folder))
        subprocess.run(reportgen("build", *quick), cwd=ROOT, check=True, capture_output=True)  # noqa: S603
        commands = {
            "`python -c pass`": [sys.executable, "-c", "pass"],
            "`reportgen --help`": reportgen("--help"),
            "`reportgen plan`, 8 runs, all there": reportgen("plan", *quick),
            "`reportgen build`, nothing to do": reportgen("build", *quick),
        }
        rows = [[name, *cost(command, TIMES).cells()] for name, command in commands.items()]
    print(table(["command", *HEAD], rows))
    print("\n" + machine(["typer", "pydantic", "ruamel.yaml"]))


if __name__ == "__main__":
    main()
