"""How the samples are compiled, run and compared."""
