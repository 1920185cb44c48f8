"""The WSGI server and its worker processes."""
