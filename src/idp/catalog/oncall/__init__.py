"""Who is on call: what annotations say, and what PagerDuty or Opsgenie answer."""
