# The four tags every resource carries. None has a default: who pays and who answers is never a guess.

variable "service" {
  description = "Name of the service, as in catalog-info.yaml."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.service)) && length(var.service) <= 63
    error_message = "The service is lower-case words joined by dashes, at most 63 characters."
  }
}

variable "owner" {
  description = "Team that owns the service."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$", var.owner))
    error_message = "The owner is the name of a team: letters, digits, dashes, dots or underscores."
  }
}

variable "cost_centre" {
  description = "Cost centre which pays for the service."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$", var.cost_centre))
    error_message = "The cost centre is letters, digits, dashes, dots or underscores."
  }
}

variable "environment" {
  description = "Environment, such as dev, staging or production."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.environment))
    error_message = "The environment is up to 16 lower-case letters, digits or dashes."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731 days."
  }
}

variable "kept_images" {
  description = "How many images the registry keeps; older ones expire."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.kept_images >= 10
    error_message = "Keep at least 10 images, or there is nothing to roll back to."
  }
}

variable "kms_key_arn" {
  description = "Key for images and logs; without one AWS's own keys are used. Its policy must allow CloudWatch Logs."
  type        = string
  default     = null
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of the role, where the account asks for one."
  type        = string
  default     = null
}
