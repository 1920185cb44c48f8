"""Results by shape: a shape is found in the JSON text of a result, and drawn as a plot, a heat map or a table."""
