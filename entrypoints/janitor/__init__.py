"""The janitor: deletes what has expired, and takes back what dead handlers held."""
