"""The longest text for each of these views, and how much of it is drawn."""

from vitral.errors import VitralError

GRAPH_TOKENS = 1024
"""Longest text whose layers are drawn as a graph."""
FLOW_PIPES = 6000
"""Most layers × tokens²: a maximum flow over more takes more than some seconds."""
GRAPH_EDGES = 1500
"""Most edges sent, the strongest."""
PATH_TOKENS = 1024
"""Longest text whose words' paths are drawn."""
PATHS_DRAWN = 64
"""Up to this length the paths of all tokens are sent; above it, the chosen token's."""
WRITES_TOKENS = 512
"""Longest text of which the first head shown is chosen by what the heads write."""
LENS_TOKENS = 1024
"""Longest text that is read again for the logit lens."""
LENS_PLACES = 16
"""Positions of a text in the lens's grid."""


def check_length(length: int, limit: int, view: str) -> None:
    """Raises VitralError `view_too_long` for a text over `limit` tokens."""
    if length > limit:
        raise VitralError("view_too_long", length=length, limit=limit, view=view)
