"""Kernels: numba twins of the hot functions of ``refimpl``, compiled at their first call.

A kernel has the name, the parameters and the results of the reference that it is the twin of; only the way to the
results differs.  Read the reference first: it says what is computed, in which shapes and units.  ``refimpl/twins.py``
leads from one to the other.  A function decorated ``@twin("kernels.zonal")`` runs the function of the same name in
``kernels/zonal.py``, or, with ``REFIMPL_BACKEND=numpy``, the body that stands under the decorator.
``tests/test_twins.py`` holds every pair against each other.

Each module here holds such twins.  What they share lies in ``kernels/tools/``, which has no twins; its ``__init__``
lists its modules in the same way.  Nearly all modules are built alike.  A plain function checks its arguments, makes
arrays contiguous, and cuts the work into parts; a ``@kernel`` function computes one part, and ``run_parts`` spreads the
parts over threads.  The cut follows from the shapes alone and sums are taken in a fixed order, so any number of threads
gives the same bytes.

Read first, for the pattern:

``adam``              one pass over the parameters in place of a dozen operations on whole arrays
``back_projection``   two passes over the fine image; each row is finished while it is in the nearest cache
``admissible``        counts that run along with a window, in place of a summed-area table
``linear``            one row at a time, each number read once
``block_mean``        2x2 means over valid cells, without a branch
``ensemble``          the median of eight by a sorting network, in vectors of neighbouring cells

Then the sums by zone, which go from run to run of cells with the same zone:

``zonal``             32 running sums at a time, each with its rounding errors
``land_cover``        sums by zone and land cover: the running sum changes where the class does
``group_moments``     means first, then products of deviations from them
``shares``            Eq. 3: exact sums and largest cells of each province, as loops over whole numbers

Then maps and polygons:

``resize``            an output row at a time: rows are weighted into a buffer, columns from there
``scaled``            windows of a resized map, by the kernel of ``resize``
``interpolation``     values at points, one point at a time
``lattice``           a polynomial through 11 x 11 nodes, a row of points at a time
``warp``              the overlap of cells and pixels, left in the pixels by the edges that cross them
``polygon_sums``      sums over polygons: all cells between two borders have one coverage
``zone_labels``       the zone with the largest share of each cell, by the same sweep
``codecs``            LZW and PackBits, eight bytes at a time
``predictors``        differences of TIFF undone, a row at a time

Then the regression:

``svr``               sums of weighted kernel values, in blocks that stay in the nearest cache
``smo``               the SVR's solver: rows of the kernel matrix when needed, vector passes, shrinking

Last the network, where most of the time goes; ``kernels/tools/winograd.py`` and ``sweep.py`` explain its ideas:

``convolution``       one layer: Winograd, the plain sums, or loops, by dtype and channels
``network``           all layers in one sweep, forward and back
``inference``         the sweep over pieces of an image of any size
"""

BELONGS_TO = "refimpl"
"""The marker that ``refimpl.twins`` checks, so that another distribution's ``kernels`` gets a clear error."""
