"""How the app is served: what stands between Streamlit's own server and the network.

``app.py`` hands Streamlit the two doors that it has for it, the lifespan and the middleware of
``st.App``. What needs another door is listed in ``patches``.
"""
