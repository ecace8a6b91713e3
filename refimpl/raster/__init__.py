"""Rasters: grids, reference systems, files, resampling and zonal statistics (section "Raster data").

Where to begin, and what lies beneath; a module imports from its own part and from those above it.

====================== =========================================================================================
reference systems      ``projection``, ``crs``, ``epsg``, ``datum``; formulas: ``ellipsoid``,
                       ``transverse_mercator``; as text: ``wkt``, ``wkt_tree``; as keys: ``geokeys``,
                       ``geokeys_earth``, ``geokey_directory``
what a value is        ``grid`` (Grid, Raster, Source); cell areas on maps that keep angles: ``areas``
a file is read         ``geotiff`` (read_raster, open_raster); what it claims: ``directory``, ``preflight``, ``tags``,
                       ``alpha``; its pixels: ``pixels_of_tiff``, ``decoding``, ``codecs``, ``predictors``;
                       beside it: ``side_files``, ``world_file``, ``aux_xml``, ``mask_file``;
                       other kinds: ``png``, ``foreign``
a file is written      ``writing`` (write_raster, write_parts), ``blocks``, ``tiff_bytes``, ``cell_statistics``;
                       Cloud-Optimized: ``cloud_optimized``, ``overviews``
onto another grid      ``warp`` (warp_mean, ...), ``warped``; where points fall: ``pixels``, ``lattice``, ``seam``;
                       what they take: ``overlap``, ``interpolation``
zones and their sums   ``zonal`` (zonal_statistics), ``zonal_blocks``, ``zonal_sums``; polygons: ``geojson``,
                       ``geojson_rings``, ``polygons``, ``polygon_sums``, ``polygon_coverage``, ``zone_labels``;
                       the working grid: ``zones``
larger than memory     ``windows`` (how it is walked), ``computed``, ``stored`` (in a file), ``codes``, ``clipped``,
                       ``zone_file``, ``tiled`` (computed by workers), ``quantiles``
about a raster         ``facts``, ``survey``, ``advice`` (for ``refimpl info``)
====================== =========================================================================================
"""
