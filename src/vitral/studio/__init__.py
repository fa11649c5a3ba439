"""Studio: the server behind the page (`application.create_app`), and the page once it is built."""
