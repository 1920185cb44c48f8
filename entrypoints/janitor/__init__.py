"""The janitor: deletes expired tasks, rescues those of dead handlers, creates recurring ones, sends callbacks."""
