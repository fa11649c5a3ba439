"""Before and after every route: access, language, and the answer to a failure."""
