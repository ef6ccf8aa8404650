"""What runs generated text: NumPy, Numba, LLVM lanes, CuPy."""
