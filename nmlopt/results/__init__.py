"""What a fit leaves behind: the run store, the solutions as NeuroML, the report."""
