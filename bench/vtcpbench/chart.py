# SPDX-License-Identifier: Apache-2.0
"""The results as a picture: SVG, written by hand, so that it needs nothing."""

from xml.sax.saxutils import escape

_COLOURS = {
    "ours": "#1b6ca8", "ours-adaptive": "#6fb1de", "ours-packet": "#3fa7a0", "c": "#555555", "veth": "#c9c9c9",
    "dpdk": "#d9822b", "dpdk-tap": "#d9822b", "dpdk-two": "#efb878", "passt": "#8e5ea2", "qemu": "#a8484f",
    "64k": "#555555", "256k": "#6fb1de", "512k": "#1b6ca8", "512k-early": "#3fa7a0",
}  # fmt: skip
_BAR, _GAP, _LABEL, _PLOT, _RIGHT = 13, 16, 210, 420, 120


class Chart:
    """A panel for each part and metric, a group of bars for each work, a bar for each peer, a line from the smallest to the largest value."""

    def __init__(self, results):
        self._results = results
        self._elements = []
        self._y = 24

    def add_panel(self, part, metric):
        rows = self._rows(part, metric)
        if not any(bars for _, bars in rows):
            return
        longest = max(spread.maximum for _, bars in rows for _, spread in bars) or 1
        self._text(10, self._y, f"{part.title}: {metric.title}", "bold")
        self._y += 14
        for title, bars in rows:
            if not bars:
                continue
            self._y += 12
            self._text(10, self._y, title)
            self._y += 5
            for peer, spread in bars:
                self._bar(peer, metric, spread, _PLOT / longest)
        self._y += 2 * _GAP

    def _rows(self, part, metric):
        rows = []
        for work in part.works:
            bars = [(peer, self._results.spread(part.name, work.name, peer.name, metric.name)) for peer in part.peers]
            rows.append((work.title, [(peer, spread) for peer, spread in bars if spread is not None]))
        return rows

    def _bar(self, peer, metric, spread, scale):
        width = spread.median * scale
        middle = self._y + _BAR / 2
        low, high = (_LABEL + value * scale for value in (spread.minimum, spread.maximum))
        self._text(20, self._y + _BAR - 3, peer.label, size=10)
        colour = _COLOURS.get(peer.name, "#999999")
        self._elements.append(f'<rect x="{_LABEL}" y="{self._y}" width="{width:.1f}" height="{_BAR - 2}" fill="{colour}"/>')
        self._elements.append(f'<path d="M{low:.1f} {middle:.1f}H{high:.1f}" stroke="#000" stroke-width="1.2"/>')
        self._text(max(high, _LABEL + width) + 6, self._y + _BAR - 3, metric.show(spread.median), size=10)
        self._y += _BAR

    def _text(self, x, y, text, weight="normal", size=11):
        self._elements.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}">{escape(text)}</text>')

    def svg(self):
        width, height = _LABEL + _PLOT + _RIGHT, self._y
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif">'
        return "\n".join([head, f'<rect width="{width}" height="{height}" fill="#fff"/>', *self._elements, "</svg>", ""])
