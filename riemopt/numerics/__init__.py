"""Numbers and arrays: what needs neither SymPy nor a compiler."""
