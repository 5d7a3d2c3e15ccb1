"""Money as a state machine, for the tests and for benchmarks/money_machine.py."""
