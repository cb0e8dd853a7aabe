"""What is measured, its name and unit."""
