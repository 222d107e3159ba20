"""Personalisation: textual inversion, several concepts, and what the course grades of them."""
