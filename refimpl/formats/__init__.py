"""Files: rasters, reference systems as text and as tags, side files, polygons and tables, read and written.

Start with read_raster and open_raster in ``geotiff``; they give a raster whole or by windows.  Then follow the bytes.
Whatever is wrong with a file is one InputError, which names the file and a cure.

Reading a TIFF, from the file to the pixels:

- ``geotiff``: a raster from a file, with its valid mask and its place
- ``foreign``: files of other formats, refused with the command that converts them
- ``directory``: the directories of a TIFF and their tags, read without trusting a number in them
- ``preflight``: checks of what a directory claims about its pixels, before one is decoded
- ``pixels_of_tiff``: a window of one band, from the strips or tiles that it touches
- ``decoding``: one strip or tile, from bytes to pixels
- ``codecs``: LZW and PackBits
- ``predictors``: differences between pixels, undone
- ``alpha``: the band that says which cells are valid
- ``mask_file``: a mask in a file beside the raster
- ``png``: the other raster format that is read

What the pixels mean, and where they lie:

- ``tags``: place, nodata, scale, offset and unit, as tags
- ``geokeys``: a reference system as GeoTIFF keys, and back
- ``geokeys_earth``: ellipsoid, datum and angles as keys
- ``geokey_directory``: the keys packed into three tags
- ``wkt``: a reference system as well-known text
- ``wkt_tree``: well-known text as a tree
- ``side_files``: what stands beside a raster joins its tags
- ``world_file``: six numbers that say where a raster lies
- ``aux_xml``: the XML of GDAL and ArcGIS beside a raster

Writing a TIFF:

- ``writing``: a GeoTIFF from a raster, or block by block from a function
- ``blocks``: strips or tiles, predicted and compressed
- ``tiff_bytes``: header and directories as bytes
- ``cell_statistics``: statistics of the valid cells, for the tags
- ``cloud_optimized``: the layout that a reader over the network wants
- ``overviews``: the same raster at half the resolution

About a raster, for "refimpl info":

- ``facts``: what a file says of itself
- ``survey``: one pass over its cells
- ``advice``: what would go wrong with it, in sentences

Other files:

- ``geojson``: zones as polygons
- ``geojson_rings``: the rings of polygons as arrays, each checked
- ``tables``: CSV files with a header
- ``energy_table``: fuels of provinces and years, turned into CO2 by Eq. 1
- ``table1``: Table 1 as text and as rows
- ``model_file``: a fitted regression as JSON
- ``tape``: the crops and the history of a training run, for a replay elsewhere
- ``files``: whole-or-not-at-all writing, stale temporaries, checksums
"""
