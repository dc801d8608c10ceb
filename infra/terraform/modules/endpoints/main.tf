data "aws_region" "current" {}

locals {
  services = merge(
    {
      EcrApiEndpoint         = "ecr.api"
      EcrDockerEndpoint      = "ecr.dkr"
      LogsEndpoint           = "logs"
      SecretsManagerEndpoint = "secretsmanager"
    },
    { for name, service in { SsmEndpoint = "ssm", SsmMessagesEndpoint = "ssmmessages" } : name => service if var.has_bastion },
  )
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.services

  vpc_id              = var.vpc
  service_name        = "com.amazonaws.${data.aws_region.current.id}.${each.value}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = var.subnets
  security_group_ids  = [aws_security_group.endpoint_security_group.id]
  tags                = merge({ Name = "${var.name}-${each.key}" }, var.tags)
}

resource "aws_vpc_endpoint" "s3_endpoint" {
  vpc_id            = var.vpc
  service_name      = "com.amazonaws.${data.aws_region.current.id}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_tables
  tags              = merge({ Name = "${var.name}-S3Endpoint" }, var.tags)
}

resource "aws_security_group" "endpoint_security_group" {
  name_prefix = "${var.name}-EndpointSecurityGroup-"
  description = "VPC endpoints of ${var.name}"
  vpc_id      = var.vpc
  tags        = merge({ Name = "${var.name}-EndpointSecurityGroup" }, var.tags)

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "task_to_endpoints" {
  security_group_id            = var.task_security_group
  description                  = "Tasks to AWS"
  referenced_security_group_id = aws_security_group.endpoint_security_group.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_from_task" {
  security_group_id            = aws_security_group.endpoint_security_group.id
  description                  = "AWS from tasks"
  referenced_security_group_id = var.task_security_group
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

# Where the layers of images in ECR are.
resource "aws_vpc_security_group_egress_rule" "task_to_s3" {
  security_group_id = var.task_security_group
  description       = "Tasks to the layers of images"
  prefix_list_id    = var.s3_prefix_list
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "bastion_to_endpoints" {
  count = var.has_bastion ? 1 : 0

  security_group_id            = var.bastion_security_group
  description                  = "The bastion to AWS"
  referenced_security_group_id = aws_security_group.endpoint_security_group.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_from_bastion" {
  count = var.has_bastion ? 1 : 0

  security_group_id            = aws_security_group.endpoint_security_group.id
  description                  = "AWS from the bastion"
  referenced_security_group_id = var.bastion_security_group
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}
