"""The page's tabs, one module each. Only these modules and ``app.chat`` know gradio."""
