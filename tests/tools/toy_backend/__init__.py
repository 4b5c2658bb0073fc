"""A whole backend in one folder: passive cells of one compartment in closed form."""
