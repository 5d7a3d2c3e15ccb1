"""What the measurements of the candidate's door share: a whole portal, its data, and candidates who are in a hurry."""
