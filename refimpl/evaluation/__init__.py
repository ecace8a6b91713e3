"""Evaluation of a map, window by window: by land cover, cell by cell against another map, beside its alternatives.

======================= =============================================================================================
sums and moments        ``zone_sums``, ``moments``; ``derived`` (windows at another scale, cropped, as codes)
accuracy (Eqs. 4-6)     ``accuracy``; rank correlation: ``rank_correlation``, ``ranks``, ``pairs``
land cover (Figs. 4-5)  ``land_cover``, ``land_cover_map``
what each step adds     ``alternatives``, ``scorecard``
other inventories       ``other_inventories``, ``units``, ``agreement``, ``other_inventory_tables`` (Fig. 6)
======================= =============================================================================================
"""
