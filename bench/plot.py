"""Draws bars as SVG, for a page that is light or dark."""

from html import escape

WIDTH, LABEL, BAR, GAP = 720, 250, 20, 8
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .ours { fill: #1a7f37 } .others { fill: #9198a1 }
  @media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .ours { fill: #3fb950 } .others { fill: #656c76 } }
"""


def bars(panels):
    """`panels`: (title, [(label, milliseconds, whether it is ours)]). Each has a scale of its own."""
    parts, y = [], 8
    for title, rows in panels:
        y += 18
        parts.append(f'<text class="title" x="0" y="{y}">{escape(title)}</text>')
        y += GAP
        longest = max(value for _, value, _ in rows)
        for label, value, ours in rows:
            width = max(1.0, (WIDTH - LABEL - 80) * value / longest)
            middle = y + BAR - 6
            kind = "ours" if ours else "others"
            parts.append(f'<text x="{LABEL - GAP}" y="{middle}" text-anchor="end">{escape(label)}</text>')
            parts.append(f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}"/>')
            parts.append(f'<text x="{LABEL + width + GAP:.1f}" y="{middle}">{value:.1f} ms</text>')
            y += BAR + GAP
        y += 2 * GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">'
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>", ""])
