data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

# Amazon Linux 2023 for ARM, the newest when the bastion is made: it comes with the agent of Systems Manager.
data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-minimal-kernel-default-arm64"
}

data "aws_iam_policy_document" "bastion_trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "bastion_role" {
  name_prefix        = "${var.name}-BastionRole-"
  description        = "What the bastion needs to be reached through Systems Manager"
  assume_role_policy = data.aws_iam_policy_document.bastion_trust.json
  tags               = merge({ Name = "${var.name}-BastionRole" }, var.tags)
}

resource "aws_iam_role_policy" "bastion_role" {
  name   = "BastionRole"
  role   = aws_iam_role.bastion_role.name
  policy = data.aws_iam_policy_document.bastion_role.json
}

data "aws_iam_policy_document" "bastion_role" {
  statement {
    sid       = "RegisterWithSystemsManager"
    actions   = ["ssm:UpdateInstanceInformation"]
    resources = ["arn:${data.aws_partition.current.partition}:ec2:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:instance/*"]
  }

  # The channels of Systems Manager are no resources; these actions know none.
  statement {
    sid = "CarrySessions"
    actions = [
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_instance_profile" "bastion_profile" {
  name_prefix = "${var.name}-BastionProfile-"
  role        = aws_iam_role.bastion_role.name
}

resource "aws_instance" "bastion" {
  ami                         = data.aws_ssm_parameter.image.insecure_value
  instance_type               = var.instance_type
  iam_instance_profile        = aws_iam_instance_profile.bastion_profile.name
  ebs_optimized               = true
  subnet_id                   = var.subnet
  vpc_security_group_ids      = [aws_security_group.bastion_security_group.id]
  associate_public_ip_address = var.assign_public_ip
  tags                        = merge({ Name = "${var.name}-Bastion" }, var.tags)

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = 8
  }

  lifecycle {
    ignore_changes = [ami]
  }
}
