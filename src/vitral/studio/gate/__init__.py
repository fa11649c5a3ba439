"""Before and after every route: who may ask, in what language, and how a failure is answered."""
