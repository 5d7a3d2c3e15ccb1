"""What police send and get back."""
