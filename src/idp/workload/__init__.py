"""The workload: what a service needs to run, apart from any platform (Score, score.dev/v1b1)."""
