output "cluster_name" {
  description = "Where tasks run."
  value       = module.task.cluster_name
}

output "task_definition_arn" {
  description = "What a task is made of."
  value       = module.task.task_definition_arn
}

output "container_name" {
  description = "The container that runs Taxiway."
  value       = module.task.container_name
}

output "subnet_ids" {
  description = "The subnets of tasks."
  value       = var.subnets
}

output "security_group_ids" {
  description = "The security groups of tasks."
  value       = module.task.security_group_ids
}

output "assign_public_ip" {
  description = "Whether tasks get a public address."
  value       = var.assign_public_ip
}

output "log_group_name" {
  description = "Where tasks write."
  value       = module.task.log_group_name
}

output "execution_role_arn" {
  description = "The role of ECS."
  value       = module.task.execution_role_arn
}

output "task_role_arn" {
  description = "The role of tasks."
  value       = module.task.task_role_arn
}

output "database_cluster_id" {
  description = "The database cluster."
  value       = one(module.database[*].database_cluster_id)
}

output "database_writer_endpoint" {
  description = "Its writer."
  value       = one(module.database[*].database_writer_endpoint)
}

output "database_reader_endpoint" {
  description = "Its readers."
  value       = one(module.database[*].database_reader_endpoint)
}

output "database_master_secret_arn" {
  description = "The secret of its first user."
  value       = one(local.master_secrets)
}

output "bastion_instance_id" {
  description = "The bastion."
  value       = one(module.bastion[*].bastion_instance_id)
}

output "bastion_role_arn" {
  description = "The role of the bastion."
  value       = one(module.bastion[*].bastion_role_arn)
}

output "github_role_arn" {
  description = "The role of workflows."
  value       = one(module.github[*].github_role_arn)
}

output "taxiway_toml" {
  description = "The tables [task] and [tunnel] of taxiway.toml, for the commands of taxiway."
  value = join("\n", concat(
    [
      "[task]",
      "cluster = ${jsonencode(module.task.cluster_name)}",
      # The family: its newest revision runs, and the text stays the same when the image changes.
      "task_definition = ${jsonencode(module.task.task_definition_family)}",
      "container = ${jsonencode(module.task.container_name)}",
      "subnets = ${jsonencode(var.subnets)}",
      "security_groups = ${jsonencode(module.task.security_group_ids)}",
      "assign_public_ip = ${jsonencode(var.assign_public_ip)}",
    ],
    [for id in module.database[*].database_cluster_id : "database = ${jsonencode(id)}"],
    ["", "[tunnel]"],
    [for id in module.database[*].database_cluster_id : "cluster = ${jsonencode(id)}"],
    var.database == null ? ["endpoint = ${jsonencode(var.database_host)}", "endpoint_port = ${jsonencode(var.database_port)}"] : [],
    [for id in module.bastion[*].bastion_instance_id : "target = ${jsonencode(id)}"],
    [""],
  ))
}
