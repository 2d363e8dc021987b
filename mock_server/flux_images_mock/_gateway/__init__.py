"""Play the gateway: judge a request step by step, charge it, write it down, and see its answer off."""
