"""A trace for people: as a figure for print, and as one HTML file that needs no Studio."""
