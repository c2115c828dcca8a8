CONTAINER ?= $(shell command -v docker || command -v podman)
PROMTOOL ?= $(shell command -v promtool || echo '$(CONTAINER) run --rm -v $(CURDIR):/work:ro -w /work --entrypoint promtool docker.io/prom/prometheus:v3.5.0')
