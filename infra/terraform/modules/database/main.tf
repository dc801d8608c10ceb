resource "aws_security_group" "database_security_group" {
  name_prefix = "${var.name}-DatabaseSecurityGroup-"
  description = "The database of ${var.name}"
  vpc_id      = var.vpc
  tags        = merge({ Name = "${var.name}-DatabaseSecurityGroup" }, var.tags)

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_subnet_group" "database_subnet_group" {
  name_prefix = lower("${var.name}-databasesubnetgroup-")
  description = "The database of ${var.name}"
  subnet_ids  = var.subnets
  tags        = merge({ Name = "${var.name}-DatabaseSubnetGroup" }, var.tags)
}

# Its id is in the name of the final snapshot, so that no two have the same. What replaces the cluster replaces it.
resource "terraform_data" "final_snapshot" {
  triggers_replace = [var.name, var.database_name, var.master_user, var.kms_key]
}

resource "aws_rds_cluster" "database" {
  cluster_identifier_prefix           = lower("${var.name}-database-")
  engine                              = "aurora-postgresql"
  engine_mode                         = "provisioned"
  engine_version                      = var.engine_version
  database_name                       = var.database_name
  port                                = var.database_port
  master_username                     = var.master_user
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = var.kms_key
  kms_key_id                          = var.kms_key
  db_subnet_group_name                = aws_db_subnet_group.database_subnet_group.name
  vpc_security_group_ids              = [aws_security_group.database_security_group.id]
  storage_encrypted                   = true
  iam_database_authentication_enabled = true
  backup_retention_period             = var.backup_days
  copy_tags_to_snapshot               = true
  deletion_protection                 = var.deletion_protection
  enabled_cloudwatch_logs_exports     = ["postgresql"]
  skip_final_snapshot                 = false
  final_snapshot_identifier           = lower("${var.name}-final-${terraform_data.final_snapshot.id}")
  tags                                = merge({ Name = "${var.name}-Database" }, var.tags)

  # An idle time is accepted only for a cluster that may pause.
  serverlessv2_scaling_configuration {
    min_capacity             = var.min_capacity
    max_capacity             = var.max_capacity
    seconds_until_auto_pause = var.min_capacity == 0 ? var.pause_after_seconds : null
  }
}

resource "aws_rds_cluster_instance" "database_instance" {
  identifier_prefix          = lower("${var.name}-databaseinstance-")
  cluster_identifier         = aws_rds_cluster.database.id
  engine                     = "aurora-postgresql"
  instance_class             = "db.serverless"
  publicly_accessible        = false
  auto_minor_version_upgrade = true
  tags                       = merge({ Name = "${var.name}-DatabaseInstance" }, var.tags)
}
