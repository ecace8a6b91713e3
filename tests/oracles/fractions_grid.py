"""Refined grids (D19) in exact fractions."""

from __future__ import annotations

from fractions import Fraction

from tests.oracles import suite

NAMES = ("x0", "y0", "dx", "dy", "rows", "cols")
FLAGS = {
    "half-pixel-shift": "The refined grid keeps the centre of the first cell, or moves by half a cell, instead of "
    "keeping the outer corner: the 500 m map lies 250 m off the 1 km map.",
    "factor-on-one-axis": "The factor is applied to x or to the shape only, or dy takes dx's size or loses its sign.",
    "factor-fixed": "The factor is 2 whatever is asked.",
}


def ask(name, title, transform, shape, factor, flags) -> suite.Case:
    """A case of ``refine_grid``; ``factor`` None leaves the parameter out."""
    times = factor or 2
    x0, y0, dx, dy = (Fraction(number) for number in transform)
    answer = [x0, y0, dx / times, dy / times, shape[0] * times, shape[1] * times]
    table = {"name": list(NAMES), "value": [*map(float, answer[:4]), *answer[4:]]}
    parameters = {"transform": transform, "shape": shape} | ({"factor": factor} if factor else {})
    output = suite.Output(table, "ulp", 1, "one division, correctly rounded, or a product with 1/factor: 1 ulp")
    return suite.Case(
        f"refine-{name}", title, "raster", "refine_grid", ["D19"], flags, "fractions", "Exact quotients, rounded once.",
        parameters, {}, {"grid.csv": output},
    )  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    grid, shape = (-2500000.0, 5000000.0, 1000.0, -2000.0), (3, 5)
    rows = [
        ("factor-0", grid, shape, 0, ["factor"], "cells cannot become 0 times smaller"),
        ("factor-one-and-a-half", grid, shape, 1.5, ["factor"], "1.5 does not divide a cell into whole cells"),
        ("negative-factor", grid, shape, -2, ["factor"], "cells cannot become -2 times smaller"),
        ("zero-width", (0.0, 0.0, 0.0, -1000.0), shape, 2, ["transform"], "dx is 0"),
        ("south-up", (0.0, 0.0, 1000.0, 1000.0), shape, 2, ["transform"], "dy above 0: row 0 is in the north"),
        ("no-columns", grid, (3, 0), 2, ["shape"], "a grid of 0 columns"),
    ]
    refused = [
        suite.refused(f"refine-refuses-{name}", None, "raster", "refine_grid", ["D19"], fields, why,
                      parameters={"transform": transform, "shape": size, "factor": factor})
        for name, transform, size, factor, fields, why in rows
    ]  # fmt: skip
    both = ["half-pixel-shift", "factor-on-one-axis"]
    return refused + [
        ask("by-two", "1,000 x 2,000 m to 500 x 1,000 m, same corner", grid, shape, None, both),
        ask("by-four", "A factor of 4", grid, shape, 4, [*both, "factor-fixed"]),
        ask("degrees-by-three", "Degrees, and a factor that is no power of two", (73.1, 53.9, 0.1, -0.05), (2, 7), 3,
            [*both, "factor-fixed"]),
    ]  # fmt: skip
