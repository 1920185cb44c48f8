"""The janitor: deletes expired tasks, rescues those of dead or silent handlers, ticks schedules, sends callbacks."""
