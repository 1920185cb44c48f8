"""The command line of an operator: reads and changes what is stored, beside the processes that run."""
