data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  github_host  = "token.actions.githubusercontent.com"
  prefix       = "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}"
  cluster_path = split("/", var.cluster_arn)
  tasks        = "${local.prefix}:task/${local.cluster_path[length(local.cluster_path) - 1]}/*"
  subject      = var.subject == null ? "repo:${coalesce(var.repository, "-")}:environment:${var.environment}" : var.subject
}

# An account has at most one.
resource "aws_iam_openid_connect_provider" "github_provider" {
  count = var.provider_arn == null ? 1 : 0

  url            = "https://${local.github_host}"
  client_id_list = ["sts.amazonaws.com"]
  tags           = merge({ Name = "${var.name}-GithubProvider" }, var.tags)
}

data "aws_iam_policy_document" "github_trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.provider_arn == null ? one(aws_iam_openid_connect_provider.github_provider[*].arn) : var.provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = [local.subject]
    }
  }
}

resource "aws_iam_role" "github_role" {
  name_prefix        = "${var.name}-GithubRole-"
  description        = "Starts and watches migration tasks from workflows"
  assume_role_policy = data.aws_iam_policy_document.github_trust.json
  tags               = merge({ Name = "${var.name}-GithubRole" }, var.tags)

  lifecycle {
    precondition {
      condition     = var.subject != null || var.repository != null
      error_message = "Set repository, or subject."
    }
  }
}

resource "aws_iam_role_policy" "github_role" {
  name   = "GithubRole"
  role   = aws_iam_role.github_role.name
  policy = data.aws_iam_policy_document.github_role.json
}

data "aws_iam_policy_document" "github_role" {
  statement {
    sid       = "FindTheCluster"
    actions   = ["ecs:DescribeClusters"]
    resources = [var.cluster_arn]
  }

  # These actions know no resource: whoever may look may look at all of them.
  statement {
    sid       = "LookAround"
    actions   = ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ecs:DescribeTaskDefinition"]
    resources = ["*"]
  }

  statement {
    sid       = "RunTasks"
    actions   = ["ecs:RunTask"]
    resources = ["${local.prefix}:task-definition/${var.task_definition_family}:*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [var.cluster_arn]
    }
  }

  statement {
    sid       = "TagTasks"
    actions   = ["ecs:TagResource"]
    resources = [local.tasks]

    condition {
      test     = "StringEquals"
      variable = "ecs:CreateAction"
      values   = ["RunTask"]
    }
  }

  statement {
    sid       = "PassTheRoles"
    actions   = ["iam:PassRole"]
    resources = [var.execution_role_arn, var.task_role_arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }

  # It knows container instances only, and Fargate has none; the condition names the cluster.
  statement {
    sid       = "ListTasks"
    actions   = ["ecs:ListTasks"]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [var.cluster_arn]
    }
  }

  statement {
    sid       = "WatchAndStopTasks"
    actions   = ["ecs:DescribeTasks", "ecs:StopTask"]
    resources = [local.tasks]
  }

  statement {
    sid       = "ReadTheLog"
    actions   = ["logs:DescribeLogStreams", "logs:GetLogEvents"]
    resources = ["${var.log_group_arn}:*"]
  }
}
