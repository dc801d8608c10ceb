data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id
  here      = "${local.region}:${data.aws_caller_identity.current.account_id}"

  container_name = "taxiway"
  log_prefix     = "run"
}

resource "aws_ecs_cluster" "cluster" {
  count = var.cluster == null ? 1 : 0

  name = "${var.name}-Cluster"
  tags = merge({ Name = "${var.name}-Cluster" }, var.tags)
}

# The log outlives everything else: it tells what was done to the database.
resource "aws_cloudwatch_log_group" "log_group" {
  name_prefix       = "${var.name}-LogGroup-"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key
  skip_destroy      = true
  tags              = merge({ Name = "${var.name}-LogGroup" }, var.tags)
}

resource "aws_ecs_task_definition" "task_definition" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution_role.arn
  task_role_arn            = aws_iam_role.task_role.arn
  container_definitions    = jsonencode([merge(local.container, local.credentials)])
  tags                     = merge({ Name = "${var.name}-TaskDefinition" }, var.tags)

  runtime_platform {
    cpu_architecture        = var.architecture
    operating_system_family = "LINUX"
  }

  volume {
    name = "tmp"
  }

  lifecycle {
    precondition {
      condition     = var.repository_url != null ? var.repository_owner == null && var.repository_path == null : var.repository_owner != null && var.repository_path != null
      error_message = "Set repository_owner and repository_path, or repository_url, and not both."
    }
    precondition {
      condition     = contains(local.memory_by_cpu[var.cpu], var.memory)
      error_message = "Fargate has no such memory for that many CPU units."
    }
    precondition {
      condition     = length(var.database_users) == 0 || var.database_resource_id != null
      error_message = "database_users log in with IAM: set database_resource_id."
    }
  }
}

locals {
  # "Task CPU and memory" on Fargate (ECS manual): MiB by CPU units
  memory_by_cpu = {
    256  = [512, 1024, 2048]
    512  = range(1024, 4097, 1024)
    1024 = range(2048, 8193, 1024)
    2048 = range(4096, 16385, 1024)
    4096 = range(8192, 30721, 1024)
  }

  environment = merge(
    {
      REGION                       = local.region
      REPOSITORY_DEPLOY_KEY_SECRET = var.deploy_key_secret
      REPOSITORY_OWNER             = var.repository_owner
      REPOSITORY_PATH              = var.repository_path
      TAXIWAY_REPOSITORY_URL       = var.repository_url
      DB_HOST                      = var.database_host
      DB_NAME                      = var.database_name
      DB_PORT                      = var.database_port == 5432 ? null : tostring(var.database_port)
      FLYWAY_DATABASE_SECRET       = one(var.master_secrets)
    },
    var.environment,
  )

  container = {
    name                   = local.container_name
    image                  = var.image
    essential              = true
    memory                 = var.memory
    entryPoint             = ["tini", "--", "taxiway", "run"]
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    stopTimeout            = 120
    environment            = [for name, value in local.environment : { name = name, value = value } if value != null]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.log_group.name
        awslogs-region        = local.region
        awslogs-stream-prefix = local.log_prefix
        # A line that is dropped could be the result.
        mode = "blocking"
      }
    }
  }

  # A value of either branch has to be of one type: hence no condition around an object.
  credentials = { for key in ["repositoryCredentials"] : key => { credentialsParameter = var.registry_secret } if var.registry_secret != null }
}
