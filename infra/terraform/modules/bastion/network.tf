# No way in; out to Systems Manager and the database only.

resource "aws_security_group" "bastion_security_group" {
  name_prefix = "${var.name}-BastionSecurityGroup-"
  description = "The bastion of ${var.name}"
  vpc_id      = var.vpc
  tags        = merge({ Name = "${var.name}-BastionSecurityGroup" }, var.tags)

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "bastion_to_aws" {
  count = var.has_endpoints ? 0 : 1

  security_group_id = aws_security_group.bastion_security_group.id
  description       = "Systems Manager"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "bastion_to_database" {
  security_group_id            = aws_security_group.bastion_security_group.id
  description                  = "The bastion to the database"
  referenced_security_group_id = var.database_security_group
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port
}

resource "aws_vpc_security_group_ingress_rule" "database_from_bastion" {
  security_group_id            = var.database_security_group
  description                  = "The database from the bastion"
  referenced_security_group_id = aws_security_group.bastion_security_group.id
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port
}
