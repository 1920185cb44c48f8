"""Bring the tables up to date, by hand or before the other processes start."""
