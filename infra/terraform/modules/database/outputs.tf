output "database_cluster_id" {
  description = "The database cluster."
  value       = aws_rds_cluster.database.cluster_identifier
}

output "database_writer_endpoint" {
  description = "Its writer."
  value       = aws_rds_cluster.database.endpoint
}

output "database_reader_endpoint" {
  description = "Its readers."
  value       = aws_rds_cluster.database.reader_endpoint
}

output "database_master_secret_arn" {
  description = "The secret of its first user. Its value is known to RDS only, and not to Terraform's state."
  value       = aws_rds_cluster.database.master_user_secret[0].secret_arn
}

output "database_resource_id" {
  description = "What logins with IAM name it by."
  value       = aws_rds_cluster.database.cluster_resource_id
}

output "database_security_group" {
  description = "The security group that it is in."
  value       = aws_security_group.database_security_group.id
}
