"""The only place that knows Streamlit: frame, controls, live view, charts, draw pad, language."""
