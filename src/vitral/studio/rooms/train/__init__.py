"""The Train room's server side: texts, runs, their processes, and what the page sees of them."""
