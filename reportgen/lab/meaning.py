"""Source code without what changes no number: comments, docstrings and layout. Imports no torch."""

import ast


def meaning(tree: ast.Module, *, descriptions: bool) -> str:
    """Return the source of `tree`, which is changed, without comments, docstrings and layout.

    Args:
        tree: a parsed file.
        descriptions: keep arguments called `description`; in reportgen they word a setting.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not descriptions:
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [s for s in body if not _is_text(s)] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _is_text(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
