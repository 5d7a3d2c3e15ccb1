"""What the benchmark of imports does in processes of its own, and the files it sends."""
