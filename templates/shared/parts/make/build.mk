.PHONY: build
build: ## Build the container image
	$(CONTAINER) build $(if $(findstring podman,$(CONTAINER)),--format docker) $(BUILD_FLAGS) --tag $(IMAGE) .

