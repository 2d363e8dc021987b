"""How much the contract tests catch: contracts changed at one point, each judged by behaviour alone."""
