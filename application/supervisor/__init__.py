"""A handler's supervisor: claims tasks, hands them to an executor, keeps their leases, and settles their outcomes."""
