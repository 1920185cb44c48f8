"""A handler's supervisor: claims tasks, hands them to an executor, renews their leases, and settles their outcomes."""
