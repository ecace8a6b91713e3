"""Inner tools of the kernels: nothing here is paired with a reference."""
