"""A second SVR-ZSSR, written from golden/README.md and the cited papers alone, on scikit-learn, PyTorch, GDAL and PROJ.

It shares no line with refimpl or its kernels: where both agree, two readings of the method agree.
``python -m tests.peers.second_implementation IN_DIR OUT_DIR`` answers one case, ``main(in_dir, out_dir)`` does so in
process.
"""

from tests.peers.second_implementation.program import main

__all__ = ["main"]
