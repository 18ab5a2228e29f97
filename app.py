"""The entry: ``streamlit run app.py``. Navigation and page frame stand in ``ui/frame.py``."""

from playground.ui import frame

frame.run()
