.PHONY: alerts
alerts: ## Check and test the alert rules with promtool
	$(PROMTOOL) check rules observability/alerts.yaml observability/slo-rules.yaml
	$(PROMTOOL) test rules observability/tests/alerts.yaml observability/tests/slo-rules.yaml

