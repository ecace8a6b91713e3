"""The Earth as the rasters need it: coordinate systems, grids, areas, resampling and polygons (section "Raster data").

Read from the top: each part is built on those above it.  D03 (true areas) and D04 (the working grid) act here.

================== ==================================================================================================
what all parts use ``exact_pair`` (a sum and what its rounding lost), ``threads`` (parts of one work side by side)
reference systems  ``crs`` (a projection, an ellipsoid and a datum), ``datum`` (files on another datum than WGS 84),
                   ``epsg`` (the codes)
formulas           ``ellipsoid`` (areas and lengths on it), ``transverse_mercator`` (UTM and Gauss-Krueger),
                   ``projection`` (degrees to metres and back), ``areas`` (true areas of cells by row)
rasters            ``grid`` (``Grid``, ``Raster``, and ``Source``: what gives a raster window by window), ``pixels``
                   (points among the pixels of a grid)
a cell's place     ``seam`` (cells across the edge of a map), ``lattice`` (corners and centres of many cells at once)
a cell's value     ``overlap`` (exact overlap with pixels), ``interpolation`` (bilinear and cubic)
another grid       ``warped`` (a raster on another grid, window by window), ``warp`` (whole: mean, sum, mode, nearest,
                   bilinear, cubic)
polygons           ``polygons`` (zones as rings, and their edges), ``polygon_sums`` (exact shares of cells),
                   ``zone_labels`` (the zone of each cell)
================== ==================================================================================================
"""
