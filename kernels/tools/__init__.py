"""Tools of the kernels: what several of them share, or what one of them is made of.  No function here has a reference.

Read first, for every kernel:

``compiled``              ``@kernel`` and ``@inner``: compilation, and machine code on disk that is never stale
``threads``               parts of a kernel's work spread over plain Python threads
``work_memory``           work memory that is kept from call to call

Sums:

``double_double``         sums as pairs of doubles, in which every addition keeps its rounding error
``superaccumulator``      exact sums in base 2^32, many numbers at a time as whole numbers
``zone_runs``             neighbouring cells of one zone: one look-up of the zone for thousands of cells
``polygon_edges``         edges of polygons deposited into the cells of a row

Bytes:

``byte_copy``             eight bytes at once, for LZW

The network's convolutions:

``simd``                  eight float32 lanes as one value
``winograd``              F(4x4, 3x3) and F(2x2, 3x3): why they work, and a layer in blocks of tiles
``winograd_tiles``        the transforms of one tile
``winograd_products``     matrix products in registers
``winograd_weights``      weights and their gradient, to Winograd's points and back
``single_channel``        the first and the last layer, by the definition
``padded_planes``         images with a border of zeros
``convolution_parts``     the compiled parts of one layer on its own
``dependent_tasks``       tasks that wait for each other, handed out inside compiled code
``sweep_plan``            the stages of a sweep, and what each waits for
``sweep``                 all layers, forward and back, in one hand-over to the threads

The regression:

``float64_intrinsics``    a fused multiply-add, powers of two, arrays without a count of references
``exponential``           e^x as plain arithmetic, which becomes vector code
``kernel_values``         the kernel functions of Table 1 for many rows and one point
``kernel_matrix_rows``    rows of the kernel matrix, computed when needed and kept while there is room
``working_set``           the passes that find the next pair of samples
``shrinking``             samples that no pair would take, put aside
"""
