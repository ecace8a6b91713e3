"""Geography of the rasters: coordinate systems, grids, true areas, resampling, polygons (section "Raster data").

Read from the top: each part builds on the parts above it.  D03 (true areas) and D04 (the working grid) act here.

================== ==================================================================================================
what all parts use ``exact_pair`` (a sum and what its rounding lost), ``threads`` (parts of one work in parallel)
reference systems  ``crs`` (a projection, an ellipsoid and a datum), ``datum`` (files on a datum other than WGS 84),
                   ``epsg`` (EPSG codes)
formulas           ``ellipsoid`` (areas and lengths), ``transverse_mercator`` (UTM and Gauss-Krueger),
                   ``projection`` (degrees to metres and back), ``areas`` (true areas of cells by row)
rasters            ``grid`` (``Grid``, ``Raster``, and ``Source``: anything that gives a raster window by window),
                   ``pixels`` (pixel coordinates of points)
a cell's place     ``seam`` (cells across the edge of a map), ``lattice`` (corners and centres of many cells)
a cell's value     ``overlap`` (exact overlap with pixels), ``interpolation`` (bilinear and cubic)
another grid       ``warped`` (a raster on another grid, window by window), ``warp`` (whole rasters: density,
                   count or class)
polygons           ``polygons`` (zones as rings, and their edges), ``polygon_sums`` (exact shares of cells),
                   ``zone_labels`` (the zone of each cell)
================== ==================================================================================================
"""
