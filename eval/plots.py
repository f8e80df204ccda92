"""Small plots of a report as inline SVG. Colours come from the page's CSS, so both themes are served."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from eval.metrics import Bin, CurvePoint
from eval.report import KindRow, Stage

_W, _H = 340, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 36


def risk_coverage_plot(points: Sequence[CurvePoint]) -> Markup:
    """Risk over coverage, both from 0 to 1, as a step line."""
    if not points:
        return _empty()
    path = " ".join(f"{'M' if i == 0 else 'L'}{_x(p.coverage):.1f},{_y(p.risk):.1f}" for i, p in enumerate(points))
    dots = Markup("").join(
        _dot(p.coverage, p.risk, f"coverage {p.coverage:.2f}, risk {p.risk:.2f}, confidence from {p.confidence:.2f}")
        for p in points
    )
    line = Markup('<path class="line" d="{}"/>').format(path)
    return _figure(_axes("coverage (share of cases answered)", "risk (wrong)") + line + dots, "Risk over coverage")


def calibration_plot(held: Sequence[Bin]) -> Markup:
    """Share right over mean confidence, with the diagonal of perfect calibration; areas show how many cases."""
    if not held:
        return _empty()
    most = max(b.n for b in held)
    diagonal = Markup('<path class="faint" d="M{:.1f},{:.1f} L{:.1f},{:.1f}"/>').format(_x(0), _y(0), _x(1), _y(1))
    dots = Markup("").join(
        _dot(b.confidence, b.right, f"{b.n} cases: confidence {b.confidence:.2f}, right {b.right:.2f}", 3 + 7 * (b.n / most) ** 0.5)
        for b in held
    )  # fmt: skip
    return _figure(_axes("confidence", "share right") + diagonal + dots, "Calibration")


def kinds_plot(kinds: Sequence[KindRow]) -> Markup:
    """A bar per kind: share of cases that were right, with its interval."""
    if not kinds:
        return _empty()
    label, bar, row = 150, 860, 24
    height = row * len(kinds) + 30
    parts = []
    for i, kind in enumerate(kinds):
        y = i * row + 4
        value = kind.right.value or 0.0
        low, high = kind.right.low or 0.0, kind.right.high or 0.0
        parts.append(
            Markup(
                '<g><title>{}: {:.0%} right, 95% interval {:.0%} to {:.0%}, n={}</title>'
                '<text x="{}" y="{}" text-anchor="end">{} ({})</text>'
                '<rect class="track" x="{}" y="{}" width="{}" height="14"/>'
                '<rect class="bar" x="{}" y="{}" width="{:.1f}" height="14"/>'
                '<path class="whisker" d="M{:.1f},{} H{:.1f} M{:.1f},{} v6 M{:.1f},{} v6"/></g>'
            ).format(
                kind.kind, value, low, high, kind.n, label - 8, y + 11, kind.kind, kind.n,
                label, y, bar, label, y, bar * value,
                label + bar * low, y + 7, label + bar * high, label + bar * low, y + 4, label + bar * high, y + 4,
            )
        )  # fmt: skip
    ticks = Markup("").join(
        Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}%</text>').format(label + bar * t / 100, height - 8, t)
        for t in (0, 25, 50, 75, 100)
    )  # fmt: skip
    return _figure(Markup("").join(parts) + ticks, "Right answers per kind", label + bar + 20, height)


def latency_plot(stages: Sequence[Stage]) -> Markup:
    """A bar per stage: median, with a whisker to the 95th percentile, in milliseconds."""
    shown = [s for s in stages if s.p95 > 0]
    if not shown:
        return _empty()
    label, bar, row = 80, 170, 24
    longest = max(s.p95 for s in shown)
    parts = []
    for i, stage in enumerate(shown):
        y = i * row + 4
        half, most = bar * stage.p50 / longest, bar * stage.p95 / longest
        parts.append(
            Markup(
                '<g><title>{}: p50 {:.0f} ms, p95 {:.0f} ms</title><text x="{}" y="{}" text-anchor="end">{}</text>'
                '<rect class="bar" x="{}" y="{}" width="{:.1f}" height="14"/>'
                '<path class="whisker" d="M{:.1f},{} H{:.1f} M{:.1f},{} v6"/>'
                '<text class="tick" x="{:.1f}" y="{}">{:.0f} / {:.0f}</text></g>'
            ).format(
                stage.stage, stage.p50, stage.p95, label - 8, y + 11, stage.stage, label, y, half,
                label + half, y + 7, label + most, label + most, y + 4, label + most + 6, y + 11, stage.p50, stage.p95,
            )
        )  # fmt: skip
    return _figure(Markup("").join(parts), "Latency p50 / p95 in ms", label + bar + 90, row * len(shown) + 8)


def _figure(content: Markup, name: str, width: int = _W, height: int = _H) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(width, height, name, content)


def _empty() -> Markup:
    return Markup('<p class="dim">Nothing to plot: no case can be judged for it.</p>')


def _axes(x_name: str, y_name: str) -> Markup:
    lines = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        lines.append(
            Markup(
                '<path class="grid" d="M{:.1f},{:.1f} H{:.1f}"/><text class="tick" x="{}" y="{:.1f}" text-anchor="end">{:g}</text>'
                '<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{:g}</text>'
            ).format(_x(0), _y(tick), _x(1), _LEFT - 6, _y(tick) + 4, tick, _x(tick), _H - _BOTTOM + 15, tick)
        )
    names = Markup(
        '<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>'
        '<text class="tick" transform="translate(11,{:.1f}) rotate(-90)" text-anchor="middle">{}</text>'
    ).format(_x(0.5), _H - 5, escape(x_name), _y(0.5), escape(y_name))
    return Markup("").join(lines) + names


def _dot(x: float, y: float, tip: str, radius: float = 2.5) -> Markup:
    return Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{}</title></circle>').format(
        _x(x), _y(y), radius, tip
    )


def _x(value: float) -> float:
    return _LEFT + value * (_W - _LEFT - _RIGHT)


def _y(value: float) -> float:
    return _TOP + (1 - value) * (_H - _TOP - _BOTTOM)
