"""One document on several backends: runs at three steps, comparison, and what makes a difference."""
