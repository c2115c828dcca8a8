"""Where environments run: providers behind one small protocol."""
