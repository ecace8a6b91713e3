"""The method on maps larger than memory: each form names the function of ``refimpl.method`` that it equals to the bit.

A *source* gives a raster window by window.  What is computed from sources is a source again.  A map is computed when
its windows are asked for, while its file is written.

======================= =============================================================================================
how a map is walked     ``walks``, ``computed`` (the base of computed sources), ``stored`` (a raster in a file),
                        ``codes``, ``clipped``, ``tiled`` (written tile by tile), ``executors`` (threads and processes)
province totals (D03)   ``zonal_statistics``, ``zonal_pairs``; zones and their cover: ``zones``, ``stored_zones``,
                        ``polygon_coverage``
the coarse map (Fig. 1) ``predicted_map``, ``quantiles``, ``measured_range``
training (Fig. 8)       ``training_on_file``, ``levels``, ``scaled``, ``corners``, ``checkpoint``
the fine map (Fig. 8)   ``fine_map``, ``ensemble``, ``inference``, ``reach``; of rasters in memory: ``whole_maps``
the correction (Eq. 3)  ``allocated_map``, ``shares``, ``exact_sums``
======================= =============================================================================================
"""
