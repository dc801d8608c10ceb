# Tasks reach the database on its port, AWS and the Git host, and nobody reaches a task. Terraform takes the rule that
# lets everything out from a new group: what is not here cannot go out.

resource "aws_security_group" "task_security_group" {
  name_prefix = "${var.name}-TaskSecurityGroup-"
  description = "Migration tasks of ${var.name}"
  vpc_id      = var.vpc
  tags        = merge({ Name = "${var.name}-TaskSecurityGroup" }, var.tags)

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "task_to_aws" {
  count = var.has_endpoints ? 0 : 1

  security_group_id = aws_security_group.task_security_group.id
  description       = "AWS and the registry of the image"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "task_to_git" {
  # Without endpoints, the rule for AWS may already be this one.
  for_each = toset([for cidr in var.git_cidrs : cidr if var.has_endpoints || var.git_port != 443 || cidr != "0.0.0.0/0"])

  security_group_id = aws_security_group.task_security_group.id
  description       = "The Git host"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = var.git_port
  to_port           = var.git_port
}

resource "aws_vpc_security_group_egress_rule" "task_to_database" {
  security_group_id            = aws_security_group.task_security_group.id
  description                  = "Tasks to the database"
  referenced_security_group_id = var.database_security_group
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port
}

resource "aws_vpc_security_group_ingress_rule" "database_from_task" {
  security_group_id            = var.database_security_group
  description                  = "The database from tasks"
  referenced_security_group_id = aws_security_group.task_security_group.id
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port
}
