"""The figures of docs/benchmarks: ours, what one writes by hand, and peers, in turns on the same data."""
