"""The page's tabs, one module each. Only these modules and ``app.page.server`` know gradio."""
