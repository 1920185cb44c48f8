"""Supervisor side: the children, what each of them runs, and what happens to them."""
