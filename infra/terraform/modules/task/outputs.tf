output "cluster_name" {
  description = "Where tasks run."
  value       = local.cluster_name
}

output "cluster_arn" {
  description = "The same by its ARN."
  value       = local.cluster_arn
}

output "task_definition_arn" {
  description = "What a task is made of."
  value       = aws_ecs_task_definition.task_definition.arn
}

output "task_definition_family" {
  description = "The same without its revision."
  value       = aws_ecs_task_definition.task_definition.family
}

output "container_name" {
  description = "The container that runs Taxiway."
  value       = local.container_name
}

output "security_group_ids" {
  description = "The security groups of tasks."
  value       = [aws_security_group.task_security_group.id]
}

output "log_group_name" {
  description = "Where tasks write."
  value       = aws_cloudwatch_log_group.log_group.name
}

output "log_group_arn" {
  description = "The same by its ARN."
  value       = aws_cloudwatch_log_group.log_group.arn
}

output "execution_role_arn" {
  description = "The role of ECS."
  value       = aws_iam_role.execution_role.arn
}

output "task_role_arn" {
  description = "The role of tasks."
  value       = aws_iam_role.task_role.arn
}

locals {
  adopted_is_arn = startswith(coalesce(var.cluster, "-"), "arn:")
  adopted_name   = try(element(split("/", var.cluster), length(split("/", var.cluster)) - 1), null)
  cluster_name   = var.cluster == null ? one(aws_ecs_cluster.cluster[*].name) : var.cluster
  cluster_arn    = var.cluster == null ? one(aws_ecs_cluster.cluster[*].arn) : local.adopted_is_arn ? var.cluster : "arn:${local.partition}:ecs:${local.here}:cluster/${local.adopted_name}"
}
