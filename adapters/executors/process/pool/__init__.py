"""The supervisor's side: the children, the runs that each of them is handed, and how both end."""
