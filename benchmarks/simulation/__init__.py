"""A population in simulated time, and the same population on a real site."""
