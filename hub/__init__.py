"""orderhub: channels, the books and an ERP, kept in step."""
