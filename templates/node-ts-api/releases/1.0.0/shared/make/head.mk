# The verbs are the same in every service: setup, test, lint, run, build.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
