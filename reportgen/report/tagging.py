"""What PDF/UA asks of a PDF beyond what WeasyPrint writes.

The header cells of a table say that they head columns, links are there on paper, too, and running heads and
page numbers are marked as no part of the text, so that a screen reader leaves them out (ISO 14289-1, 7.5, 7.18
and 7.8).
"""

from typing import Any

PRINTED = 4
"""The annotation flag Print (ISO 32000-1, table 165)."""


def finish(pdf: Any) -> None:
    """Mend the objects of WeasyPrint's tagged PDF before it is written."""
    objects = {item.reference: item for item in pdf.objects}
    dictionaries = [item for item in pdf.objects if isinstance(item, dict)]
    for item in dictionaries:
        if item.get("S") == "/TH":
            item["A"]["Scope"] = "/Column"
        elif item.get("Type") == "/Annot":
            item["F"] = PRINTED
    root = objects[pdf.catalog["StructTreeRoot"]]
    parents = objects[root["ParentTree"]]["Nums"]
    owners = dict(zip(parents[::2], parents[1::2], strict=True))
    inside = _reachable(root, objects)
    for page in (item for item in dictionaries if item.get("Type") == "/Page"):
        _leave_out(objects[page["Contents"]].stream, owners[page["StructParents"]], inside)


def _reachable(root: Any, objects: dict[bytes, Any]) -> set[bytes]:
    """Return the references of all elements in the tree of the document's structure."""
    found: set[bytes] = set()
    waiting = list(root["K"])
    while waiting:
        reference = waiting.pop()
        if reference in objects and reference not in found:
            found.add(reference)
            waiting += objects[reference].get("K", [])
    return found


def _leave_out(stream: list[Any], owners: list[Any], inside: set[bytes]) -> None:
    """Mark as an artifact what belongs to no element of the tree: what WeasyPrint puts into the margins."""
    for place, mark in enumerate(stream):
        if isinstance(mark, dict) and "MCID" in mark and owners[mark["MCID"]] not in inside:
            owners[mark["MCID"]] = "null"
            stream[place - 1 : place + 1] = ["/Artifact", type(mark)({"Type": "/Pagination"})]
