"""What an operation may answer, and what goes back instead: refusals, scenarios, faults."""
