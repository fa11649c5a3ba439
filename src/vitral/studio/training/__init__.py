"""The Train room's server side: texts, runs, their processes, and what the page is told of them."""
