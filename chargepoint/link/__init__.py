"""The one door between the two processes."""
