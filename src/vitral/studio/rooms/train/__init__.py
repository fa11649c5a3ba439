"""The Train room's server side: texts, runs, processes, and their descriptions for the page."""
