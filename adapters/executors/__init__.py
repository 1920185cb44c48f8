"""Executors: where the user's functions run. In processes of their own, or in threads of this one."""
