"""How a plan, a build and a report grow with the number of runs: python benchmarks/growth.py [--runs 10 100 …].

The records are generated, and say so. Each number is of a process of its own: a plan of runs that are not there,
one of runs that are, a second one, a build with everything reused to Markdown and HTML, again with nothing to do,
and a build to PDF. A figure, both axes logarithmic, goes to benchmarks/growth.svg.
"""

import argparse
import tempfile
from pathlib import Path

from costs import Cost, cost, reportgen
from generated import write_records, write_suite
from measuring import machine, row, table

from reportgen.storage.records import Store

RUNS = (10, 100, 1_000, 10_000)
KINDS = ("plan, new", "plan, there", "plan again", "build, md + html", "build, nothing to do", "build, pdf")


def main() -> None:
    """Print a table with a row a size, and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=list(RUNS))
    parser.add_argument("--figure", type=Path, default=Path(__file__).with_name("growth.svg"))
    asked = parser.parse_args()
    print(table(["runs", *(f"{kind}: wall s, CPU s, MiB" for kind in KINDS), "pages (zh)"], []), flush=True)
    found = {}
    for runs in asked.runs:
        costs, pages = measured(runs)
        known = (costs[kind] for kind in KINDS)
        cells = [f"{own.wall:.2f}, {own.cpu:.2f}, {own.peak:.0f}" for own in known]
        print(row([f"{runs:,}", *cells, pages]), flush=True)
        found[runs] = costs
    print("\n" + machine(["numpy", "pandas", "weasyprint"]))
    _draw(found, asked.figure)


def measured(runs: int) -> tuple[dict[str, Cost], int]:
    """Return what each command took for so many runs, and the pages of the report."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        suite, build = folder / "suite.yaml", folder / "build"
        write_suite(suite, runs)
        own = (suite, "--build-dir", build)
        costs = {"plan, new": cost(reportgen("plan", *own), 1)}
        write_records(suite, Store(build / "records"))
        costs["plan, there"] = cost(reportgen("plan", *own), 1)
        costs["plan again"] = cost(reportgen("plan", *own), 1)
        light = ("--format", "md", "--format", "html")
        costs["build, md + html"] = cost(reportgen("build", *own, *light), 1)
        costs["build, nothing to do"] = cost(reportgen("build", *own, *light), 1)
        costs["build, pdf"] = cost(reportgen("build", *own, "--format", "pdf"), 1)
        from pypdf import PdfReader

        return costs, len(PdfReader(build / "suite" / "report.zh.pdf").pages)


def _draw(found: dict[int, dict[str, Cost]], file: Path) -> None:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "growth", "font.family": "sans-serif"}):
        figure = Figure(figsize=(7.5, 3.2), layout="constrained")
        panels = figure.subplots(1, 2)
        for panel, quantity, name in zip(panels, ("wall", "peak"), ("seconds", "MiB"), strict=True):
            for kind, marker in zip(KINDS, "osD^vP", strict=True):
                points = [(runs, getattr(costs[kind], quantity)) for runs, costs in found.items()]
                panel.plot(*zip(*points, strict=True), marker=marker, markersize=4, linewidth=1.2, label=kind)
            panel.set(xscale="log", yscale="log", xlabel="runs", ylabel=name)
            panel.grid(color="#dddddd", linewidth=0.5)
        panels[0].legend(fontsize=7, frameon=False)
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
