"""Rasters: grids, projections, GeoTIFF, resampling and zonal statistics (section "Raster data")."""
