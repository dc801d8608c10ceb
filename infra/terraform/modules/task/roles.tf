# Who may do what. src/taxiway/infra/statements.py has the same, with the reasons; a test compares the two.

locals {
  secret_prefix = "arn:${local.partition}:secretsmanager:${local.here}:secret:"

  # Secrets Manager puts a hyphen and six characters behind the name.
  registry_secrets = [for name in compact([var.registry_secret]) : startswith(name, "arn:") ? name : "${local.secret_prefix}${name}-??????"]
  rotated_secrets  = [for name in var.rotated_secrets : startswith(name, "arn:") ? name : "${local.secret_prefix}${name}-??????"]
  named_secrets    = [for name in concat(var.deploy_key_secret == null ? [] : [var.deploy_key_secret], var.secrets) : startswith(name, "arn:") ? name : "${local.secret_prefix}${name}-??????"]

  read_secrets = concat(local.named_secrets, local.rotated_secrets, var.master_secrets)

  secret_keys = distinct(compact([var.kms_key, var.master_secret_kms_key]))
  log_streams = "${aws_cloudwatch_log_group.log_group.arn}:log-stream:${local.log_prefix}/*"

  ecr = try(regex("^(?P<account>\\d{12})\\.dkr\\.ecr\\.(?P<region>[a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?/(?P<name>[^@:]+)", var.image), null)

  task_role_has_statements = length(local.read_secrets) + length(var.database_users) > 0
}

data "aws_iam_policy_document" "tasks_trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    # These keep another account from letting ECS use the role ("Confused deputy", ECS manual).
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:ecs:${local.here}:*"]
    }
  }
}

resource "aws_iam_role" "execution_role" {
  name_prefix        = "${var.name}-ExecutionRole-"
  description        = "What ECS does for a migration task before and beside its container"
  assume_role_policy = data.aws_iam_policy_document.tasks_trust.json
  tags               = merge({ Name = "${var.name}-ExecutionRole" }, var.tags)
}

resource "aws_iam_role_policy" "execution_role" {
  name   = "ExecutionRole"
  role   = aws_iam_role.execution_role.name
  policy = data.aws_iam_policy_document.execution_role.json
}

data "aws_iam_policy_document" "execution_role" {
  statement {
    sid       = "WriteTheLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [local.log_streams]
  }

  dynamic "statement" {
    for_each = length(local.registry_secrets) > 0 ? ["ReadTheRegistrySecret"] : []
    content {
      sid       = "ReadTheRegistrySecret"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = local.registry_secrets
    }
  }

  dynamic "statement" {
    for_each = length(local.registry_secrets) > 0 && var.kms_key != null ? ["DecryptSecrets"] : []
    content {
      sid       = "DecryptSecrets"
      actions   = ["kms:Decrypt"]
      resources = [var.kms_key]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${local.region}.${data.aws_partition.current.dns_suffix}"]
      }
    }
  }

  # A login is for the whole registry of an account; the action knows no resource.
  dynamic "statement" {
    for_each = local.ecr == null ? [] : ["LogInToEcr"]
    content {
      sid       = "LogInToEcr"
      actions   = ["ecr:GetAuthorizationToken"]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = local.ecr == null ? [] : ["PullTheImage"]
    content {
      sid       = "PullTheImage"
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = ["arn:${local.partition}:ecr:${local.ecr.region}:${local.ecr.account}:repository/${local.ecr.name}"]
    }
  }
}

resource "aws_iam_role" "task_role" {
  name_prefix        = "${var.name}-TaskRole-"
  description        = "What a migration task may do itself"
  assume_role_policy = data.aws_iam_policy_document.tasks_trust.json
  tags               = merge({ Name = "${var.name}-TaskRole" }, var.tags)
}

resource "aws_iam_role_policy" "task_role" {
  count = local.task_role_has_statements ? 1 : 0

  name   = "TaskRole"
  role   = aws_iam_role.task_role.name
  policy = data.aws_iam_policy_document.task_role.json
}

data "aws_iam_policy_document" "task_role" {
  dynamic "statement" {
    for_each = length(local.read_secrets) > 0 ? ["ReadSecrets"] : []
    content {
      sid       = "ReadSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = local.read_secrets
    }
  }

  # Only those of declared users: their run finishes a rotation.
  dynamic "statement" {
    for_each = length(local.rotated_secrets) > 0 ? ["FinishRotations"] : []
    content {
      sid       = "FinishRotations"
      actions   = ["secretsmanager:UpdateSecretVersionStage"]
      resources = local.rotated_secrets
    }
  }

  dynamic "statement" {
    for_each = length(local.read_secrets) > 0 && length(local.secret_keys) > 0 ? ["DecryptSecrets"] : []
    content {
      sid       = "DecryptSecrets"
      actions   = ["kms:Decrypt"]
      resources = local.secret_keys

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${local.region}.${data.aws_partition.current.dns_suffix}"]
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.database_users) > 0 ? ["LogInToTheDatabase"] : []
    content {
      sid       = "LogInToTheDatabase"
      actions   = ["rds-db:connect"]
      resources = [for user in var.database_users : "arn:${local.partition}:rds-db:${local.here}:dbuser:${var.database_resource_id}/${user}"]
    }
  }
}
