"""How many misspelt names in the shipped templates are found before anything trains.

    python benchmarks/template_names.py

Each attribute, and each variable of each template, is misspelt in one place by one letter. Counted is how often
the checker of names finds it, and how often `jinja2.meta` does, which knows only variables.
"""

from jinja2 import nodes
from jinja2.meta import find_undeclared_variables

from reportgen.i18n.languages import load_languages
from reportgen.report import markdown
from reportgen.report.template_lint import Spelling
from reportgen.resources import TEMPLATES
from reportgen.tasks.registry import TASKS, contexts


def main() -> None:
    """Print a line for attributes and one for variables."""
    (english,) = load_languages(["en"], [TEMPLATES])
    environment = markdown._environment(english, [TEMPLATES])
    spelling = Spelling(environment, english, contexts(), TASKS[0].name)

    names = [name for name in environment.list_templates(extensions=["j2"]) if not name.startswith("shipped/")]
    trees = {name: environment.parse((TEMPLATES / name).read_text("utf-8")) for name in names}
    before = {name: spelling.faults(name, tree) for name, tree in trees.items()}

    attributes = {node.attr: (name, node) for name in trees for node in trees[name].find_all(nodes.Getattr)}
    variables = {
        (name, node.name): (name, node)
        for name in trees
        for node in trees[name].find_all(nodes.Name)
        if node.ctx == "load"
    }
    for field, places in (("attr", attributes), ("name", variables)):
        by_checker = by_jinja = 0
        for name, node in places.values():
            right = getattr(node, field)
            setattr(node, field, f"{right}x")
            by_checker += spelling.faults(name, trees[name]) != before[name]
            by_jinja += f"{right}x" in find_undeclared_variables(trees[name])
            setattr(node, field, right)
        print(f"{field}: {len(places)} misspelt, {by_checker} found by the checker, {by_jinja} by jinja2.meta")


if __name__ == "__main__":
    main()
