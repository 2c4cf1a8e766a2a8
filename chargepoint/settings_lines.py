"""Where each table and key of a TOML text stands. Must not know what they mean. Imported only when there is a mistake to tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

HEADER = re.compile(r"^\s*(\[\[|\[)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
ASSIGNMENT = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
INLINE_KEY = re.compile(r"""(?:[{,]\s*)([\w-]+)\s*=""")

Path_ = tuple[str | int, ...]


def lines(text: str) -> dict[Path_, int]:
    """Each table and key by its path, list entries counted from 0; of what stands there twice, the last."""
    return dict(_lines(text))


def _lines(text: str) -> Iterator[tuple[Path_, int]]:
    table: Path_ = ()
    counts: dict[Path_, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            table = _table(header, counts)
            yield table, number
        elif assignment := ASSIGNMENT.match(line):
            key = table + tuple(part.strip("\"'") for part in PART.findall(assignment.group(1)))
            yield key, number
            for inner in INLINE_KEY.findall(line[assignment.end() :]):
                yield (*key, inner), number


def _table(header: re.Match[str], counts: dict[Path_, int]) -> Path_:
    """The full path of a table's header: arrays of tables get the number of their present entry."""
    names = [part.strip("\"'") for part in PART.findall(header.group(2))]
    path: Path_ = ()
    for position, name in enumerate(names):
        path = (*path, name)
        last = position == len(names) - 1
        if last and header.group(1) == "[[":
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
