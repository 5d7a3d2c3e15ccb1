"""What is taught, where, when and by whom, and the places on it."""
