# Run by `terraform test`; nothing is created and no account is needed.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  service     = "orders"
  owner       = "payments"
  cost_centre = "cc-42"
  environment = "dev"
}

run "every_resource_is_tagged" {
  command = plan

  assert {
    condition = alltrue([for tags in [
      aws_ecr_repository.this.tags,
      aws_cloudwatch_log_group.this.tags,
      aws_iam_role.this.tags,
    ] : tags == tomap({ service = "orders", owner = "payments", cost-centre = "cc-42", environment = "dev" })])
    error_message = "A resource lacks one of the required tags."
  }
}

run "images_are_immutable_scanned_and_encrypted" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "A tag must not move."
  }

  assert {
    condition     = aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "Images are scanned when they are pushed."
  }

  assert {
    condition     = aws_ecr_repository.this.encryption_configuration[0].encryption_type == "KMS"
    error_message = "Images are encrypted by KMS."
  }
}

run "an_empty_owner_is_refused" {
  command = plan

  variables {
    owner = ""
  }

  expect_failures = [var.owner]
}

run "an_empty_cost_centre_is_refused" {
  command = plan

  variables {
    cost_centre = " "
  }

  expect_failures = [var.cost_centre]
}
