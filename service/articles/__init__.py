"""Articles: typed blocks, a lifecycle with embargoes and withdrawals, and every version that there was."""
