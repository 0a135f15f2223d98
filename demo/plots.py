"""The two plots: where it warms and how fast, and which periods the temperature varies with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MultipleLocator
from numpy.typing import NDArray

from demo.data import Field

Result = tuple[Field, NDArray[np.float64]]
"""A field, and what came of it."""

COLORS = ("#1f6f8b", "#c8553d", "#5b8c3a")
STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "0.4",
    "xtick.color": "0.25",
    "ytick.color": "0.25",
}


def plot_trends(trends: Sequence[Result], file: Path) -> None:
    """Write maps of the trends of E1, A1B and OSTIA, K per decade, as a PNG; the two scenarios share one scale."""
    e1, a1b, ostia = trends
    with plt.rc_context(STYLE):
        figure, axes = plt.subplot_mosaic(
            [["e1", "a1b"], ["ostia", "ostia"]], figsize=(10, 5.2), height_ratios=(4, 1), layout="constrained"
        )
        top = float(np.ceil(20 * max(e1[1].max(), a1b[1].max())) / 20)
        for place, (field, trend), what in (("e1", e1, "emissions fall"), ("a1b", a1b, "emissions grow on")):
            mesh = _map(axes[place], field, trend, cmap="inferno_r", vmin=0, vmax=top)
            axes[place].set_aspect(float(1 / np.cos(np.deg2rad(field.latitude.mean()))))
            axes[place].set_title(f"{field.name}, {what}: air temperature, {_span(field)}")
        axes["a1b"].tick_params(labelleft=False)
        figure.colorbar(mesh, ax=[axes["e1"], axes["a1b"]], label="trend (K per decade)", pad=0.01)
        field, trend = ostia
        mesh = _map(axes["ostia"], field, trend, cmap="RdBu_r", vmin=-4, vmax=4)
        axes["ostia"].set_title(f"{field.name}, observed: sea-surface temperature, {_span(field)} (grey: land)")
        figure.colorbar(mesh, ax=axes["ostia"], label="(K per decade)", extend="both", pad=0.01, ticks=[-4, 0, 4])
        figure.savefig(file, dpi=150)
        plt.close(figure)


def plot_spectra(spectra: Sequence[Result], file: Path) -> None:
    """Write the mean spectra over their periods, both axes logarithmic, as a PNG."""
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(8, 4.8), layout="constrained")
        for (field, amplitude), color in zip(spectra, COLORS):
            period = 1 / np.fft.rfftfreq(len(field.years), field.step)[1:]
            what = "monthly" if field.step < 0.5 else "annual means"
            axis.plot(
                period, amplitude[1:], color=color, lw=1.4, marker=".", ms=4, alpha=0.85, label=f"{field.name}, {what}"
            )
            if period.min() < 0.9:
                at = int(np.argmin(np.abs(period - 1)))
                axis.annotate(
                    "the annual cycle",
                    (period[at], amplitude[1 + at]),
                    xytext=(7, 6),
                    textcoords="offset points",
                    color=color,
                )
        axis.set(xscale="log", yscale="log", xlabel="period", ylabel="mean amplitude (K)")
        axis.set_title("Departures from the trend, by period: mean over all pixels")
        axis.invert_xaxis()
        axis.set_xticks([200, 100, 50, 20, 10, 5, 2, 1, 1 / 2, 1 / 4])
        axis.xaxis.set_major_formatter(FuncFormatter(_period_text))
        axis.minorticks_off()
        axis.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5, 1])
        axis.yaxis.set_major_formatter("{x:g}")
        axis.grid(color="0.9")
        axis.legend(frameon=False)
        figure.savefig(file, dpi=150)
        plt.close(figure)


def _map(axis: Axes, field: Field, values: NDArray[np.float64], **colors: Any) -> Any:
    axis.set_facecolor("0.82")
    axis.xaxis.set_major_locator(MultipleLocator(60 if np.ptp(field.longitude) > 180 else 20))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda degrees, _: _degrees(degrees, "E", "W")))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda degrees, _: _degrees(degrees, "N", "S")))
    return axis.pcolormesh(field.longitude, field.latitude, values, shading="nearest", rasterized=True, **colors)


def _degrees(degrees: float, positive: str, negative: str) -> str:
    degrees = (degrees + 180) % 360 - 180
    return f"{abs(degrees):g}°{positive if degrees > 0 else negative if degrees < 0 else ''}"


def _span(field: Field) -> str:
    return f"{int(field.years[0])}-{int(field.years[-1])}"


def _period_text(years: float, _: int) -> str:
    return f"{years:g} y" if years >= 1 else f"{12 * years:g} mo"
