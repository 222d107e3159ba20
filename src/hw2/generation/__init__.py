"""The trained conditional DDPM as one thing: its file, and images drawn from it."""
