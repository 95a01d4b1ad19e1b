This is not SQL, and its name has no number.
