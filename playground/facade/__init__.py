"""The playground without its pages: from Python and from a terminal."""
