"""The contract as these tests read it, the values on both sides of its rules, and requests made of them."""
