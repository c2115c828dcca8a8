# Read by itself when Terraform runs in this folder; the environment is named on the command line.
service     = "orders-api"
owner       = "payments"
cost_centre = "payments"
