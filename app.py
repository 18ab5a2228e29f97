"""The entry: ``streamlit run app.py``. Navigation and page frame stand in ``ui/shell/frame.py``.

Streamlit reads this file in two ways. It imports it once, before it lets anybody connect, and
serves ``app``; then, at each look at a page, it runs it as the page's script, ``__main__``.
"""

if __name__ == "__main__":
    from playground.ui.shell import frame

    frame.run()
else:
    from streamlit import App

    from playground.serving import settings

    settings.check()

    from playground.serving.lifespan import lifespan
    from playground.serving.middleware import middleware

    app = App(__file__, lifespan=lifespan, middleware=middleware())
