# All of it, as "taxiway infra" makes it: the inputs are the keys of [infra] in taxiway.toml.

locals {
  database_host           = var.database == null ? var.database_host : one(module.database[*].database_writer_endpoint)
  database_security_group = var.database == null ? var.database_security_group : one(module.database[*].database_security_group)
  database_resource_id    = var.database == null || var.database_resource_id != null ? var.database_resource_id : one(module.database[*].database_resource_id)
  # A cluster that was restored has another secret than the one that RDS made with the first.
  master_secrets = var.database == null ? [] : [coalesce(var.database.master_secret, one(module.database[*].database_master_secret_arn))]
  repository     = var.repository_owner == null || var.repository_path == null ? null : "${coalesce(var.repository_owner, "-")}/${coalesce(var.repository_path, "-")}"
}

module "task" {
  source = "./modules/task"

  name                    = var.name
  vpc                     = var.vpc
  git_cidrs               = var.git_cidrs
  git_port                = var.git_port
  cluster                 = var.cluster
  image                   = var.image
  registry_secret         = var.registry_secret
  cpu                     = var.cpu
  memory                  = var.memory
  architecture            = var.architecture
  repository_owner        = var.repository_owner
  repository_path         = var.repository_path
  repository_url          = var.repository_url
  deploy_key_secret       = var.deploy_key_secret
  secrets                 = var.secrets
  rotated_secrets         = var.rotated_secrets
  kms_key                 = var.kms_key
  environment             = var.environment
  log_retention_days      = var.log_retention_days
  log_kms_key             = var.log_kms_key
  database_host           = local.database_host
  database_port           = var.database_port
  database_name           = var.database_name
  database_security_group = local.database_security_group
  database_resource_id    = local.database_resource_id
  database_users          = var.database_users
  master_secrets          = local.master_secrets
  master_secret_kms_key   = try(var.database.kms_key, null)
  has_endpoints           = var.endpoints != null
  tags                    = var.tags
}

module "database" {
  source = "./modules/database"
  count  = var.database == null ? 0 : 1

  name                = var.name
  vpc                 = var.vpc
  subnets             = length(var.database.subnets) > 0 ? var.database.subnets : var.subnets
  database_name       = var.database_name
  database_port       = var.database_port
  engine_version      = var.database.engine_version
  master_user         = var.database.master_user
  min_capacity        = var.database.min_capacity
  max_capacity        = var.database.max_capacity
  pause_after_seconds = var.database.pause_after_seconds
  backup_days         = var.database.backup_days
  deletion_protection = var.database.deletion_protection
  kms_key             = var.database.kms_key
  tags                = var.tags
}

module "bastion" {
  source = "./modules/bastion"
  count  = var.bastion == null ? 0 : 1

  name                    = var.name
  vpc                     = var.vpc
  subnet                  = coalesce(var.bastion.subnet, var.subnets[0])
  assign_public_ip        = var.assign_public_ip
  instance_type           = var.bastion.instance_type
  database_security_group = local.database_security_group
  database_port           = var.database_port
  has_endpoints           = var.endpoints != null
  tags                    = var.tags
}

module "github" {
  source = "./modules/github"
  count  = var.github == null ? 0 : 1

  name                   = var.name
  repository             = try(coalesce(var.github.repository, local.repository), null)
  environment            = var.github.environment
  subject                = var.github.subject
  provider_arn           = var.github.provider
  cluster_arn            = module.task.cluster_arn
  task_definition_family = module.task.task_definition_family
  execution_role_arn     = module.task.execution_role_arn
  task_role_arn          = module.task.task_role_arn
  log_group_arn          = module.task.log_group_arn
  tags                   = var.tags
}

module "endpoints" {
  source = "./modules/endpoints"
  count  = var.endpoints == null ? 0 : 1

  name                   = var.name
  vpc                    = var.vpc
  subnets                = length(var.endpoints.subnets) > 0 ? var.endpoints.subnets : var.subnets
  route_tables           = var.endpoints.route_tables
  s3_prefix_list         = var.endpoints.s3_prefix_list
  task_security_group    = module.task.security_group_ids[0]
  has_bastion            = var.bastion != null
  bastion_security_group = one(module.bastion[*].bastion_security_group)
  tags                   = var.tags
}
