output "repository_url" {
  description = "Where images are pushed to."
  value       = aws_ecr_repository.this.repository_url
}

output "log_group_name" {
  description = "Where logs go."
  value       = aws_cloudwatch_log_group.this.name
}

output "role_arn" {
  description = "Runtime identity; attach further policies to it."
  value       = aws_iam_role.this.arn
}

output "tags" {
  description = "Tags for what else belongs to the service."
  value       = local.tags
}
