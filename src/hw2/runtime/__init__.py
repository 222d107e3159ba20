"""How a process runs: errors, progress, device, signals, locks, fingerprints of its source."""
