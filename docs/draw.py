"""Draws docs/drawings/*.txt as SVG: `python docs/draw.py`.

First line: the title. Second line: the parties, from left to right. Then one line for each
message: `from -> to : text`, with `~>` for one that may be lost, or `note : text`.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

FOLDER = Path(__file__).with_name("drawings")
COLUMN, ROW, TOP, MARGIN = 176, 46, 96, 24
MESSAGE = re.compile(r"(?P<source>[^~>]+?) (?P<kind>->|~>) (?P<target>[^:]+?) : (?P<text>.+)")
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #2c3a37; text-anchor: middle;
  paint-order: stroke; stroke: #fbfcfa; stroke-width: 4px }
.party { stroke: none }
.title { font-size: 16px; font-weight: 600; text-anchor: start }
.party { font-weight: 600 }
.note { font-style: italic; fill: #7a5a2b; text-anchor: start }
rect { fill: #eef3ef; stroke: #7d948b }
line, path { stroke: #55706a; stroke-width: 1.4; fill: none }
.life { stroke: #c3d0ca; stroke-width: 1 }
.lossy { stroke-dasharray: 5 4 }
marker path { fill: #55706a; stroke: none }
"""
ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0 0 8 4 0 8z"/></marker>'
)


def draw(source: str) -> str:
    """The SVG of one drawing; raises ValueError with the line that cannot be read."""
    title, parties, *lines = (line.strip() for line in source.splitlines() if line.strip())
    names = [name.strip() for name in parties.split("|")]
    columns = {name: MARGIN + COLUMN // 2 + COLUMN * k for k, name in enumerate(names)}
    width, bottom = 2 * MARGIN + COLUMN * len(names), TOP + ROW * len(lines)
    parts = [label(MARGIN, 30, title, "title")]
    for name, x in columns.items():
        parts.append(f'<line class="life" x1="{x}" y1="76" x2="{x}" y2="{bottom}"/>')
        parts.append(f'<rect x="{x - 72}" y="48" width="144" height="28" rx="6"/>')
        parts.append(label(x, 67, name, "party"))
    for number, line in enumerate(lines):
        parts += row(line, TOP + ROW * number, columns)
    size = f'viewBox="0 0 {width} {bottom + 12}" width="{width}" height="{bottom + 12}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(title)}'
    ground = '<rect width="100%" height="100%" style="fill:#fbfcfa;stroke:none"/>'
    return "\n".join(
        [
            f"{head}</title>",
            f"<style>{STYLE}</style>",
            f"<defs>{ARROW}</defs>",
            ground,
            *parts,
            "</svg>\n",
        ]
    )


def row(line: str, y: int, columns: dict[str, int]) -> list[str]:
    if line.startswith("note : "):
        return [label(MARGIN, y + 22, line.removeprefix("note : "), "note")]
    message = MESSAGE.fullmatch(line)
    if message is None or not {message["source"], message["target"]} <= set(columns):
        raise ValueError(line)
    start, end = columns[message["source"]], columns[message["target"]]
    kind = ' class="lossy"' if message["kind"] == "~>" else ""
    if start == end:
        path = f"M{start} {y + 12}h30v16h-26"
        arrow = f'<path{kind} d="{path}" marker-end="url(#arrow)"/>'
        return [arrow, label(start, y + 6, message["text"], "")]
    gap = 3 if start < end else -3
    arrow = (
        f'<line{kind} x1="{start}" y1="{y + 24}" x2="{end - gap}" y2="{y + 24}" '
        'marker-end="url(#arrow)"/>'
    )
    return [arrow, label((start + end) // 2, y + 16, message["text"], "")]


def label(x: int, y: int, text: str, kind: str) -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text{name} x="{x}" y="{y}">{escape(text)}</text>'


def main() -> None:
    for path in sorted(FOLDER.glob("*.txt")):
        path.with_suffix(".svg").write_text(
            draw(path.read_text(encoding="utf-8")), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
