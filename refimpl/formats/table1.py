"""Table 1, the comparison of the four regressions, as text and as rows of a CSV."""

from __future__ import annotations

from refimpl.method.selection import TITLES, SelectionTable, choose


def selection_rows(table: SelectionTable) -> list[dict[str, str | float]]:
    """A row for each model: its name, then r2, mae, rmse with the prefixes train_, test_ and leave_one_out_."""
    return [
        {"model": row.name}
        | {
            f"{on}_{metric}": getattr(getattr(row, on), metric)
            for on in ("train", "test", "leave_one_out")
            for metric in ("r2", "mae", "rmse")
        }
        for row in table.models
    ]


def selection_text(table: SelectionTable, units: str = "10^4 t") -> str:
    """Table 1 as text, with a star at the chosen model (D07)."""
    chosen = choose(table)
    metrics = f"{'R2':>8}{'MAE':>10}{'RMSE':>10}"
    lines = [
        f"{'':<20}{'train':>28}{'test':>28}{'leave one province out':>28}",
        f"{f'MAE, RMSE: {units}':<20}" + 3 * metrics,
    ]
    for row in table.models:
        cells = [f"{s.r2:8.3f}{s.mae:10.1f}{s.rmse:10.1f}" for s in (row.train, row.test, row.leave_one_out)]
        lines.append(f"{TITLES[row.name] + (' *' if row.name == chosen else ''):<20}" + "".join(cells))
    return "\n".join([*lines, "* highest test R2 (D07)"])
