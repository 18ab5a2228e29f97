"""How the app is served: what stands between Streamlit's own server and the network.

``app.py`` hands Streamlit what is here by the two doors that it has for it, the lifespan and the
middleware of ``st.App``. What needs another door is listed in ``patches``.
"""

from __future__ import annotations

from playground.serving.lifespan import lifespan
from playground.serving.middleware import middleware

__all__ = ["lifespan", "middleware"]
