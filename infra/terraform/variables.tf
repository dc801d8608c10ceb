variable "name" {
  description = "What the names of all resources begin with. Two sets in one account need two names."
  type        = string
  default     = "taxiway"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,19}$", var.name))
    error_message = "Use a letter, then letters, digits and hyphens; 20 characters at most."
  }
}

variable "vpc" {
  description = "Id of the VPC that everything goes into. Adopted."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^vpc-[0-9a-f]+$", var.vpc))
    error_message = "Write the id of a VPC, vpc-…"
  }
}

variable "subnets" {
  description = "Ids of the subnets that tasks run in. Adopted."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnets) > 0 && alltrue([for id in var.subnets : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "Write ids of subnets, subnet-…, one at least."
  }
}

variable "assign_public_ip" {
  description = "Give tasks a public address, for public subnets without a NAT gateway."
  type        = bool
  default     = false
  nullable    = false
}

variable "git_cidrs" {
  description = "Where the Git host is, as address ranges."
  type        = list(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.git_cidrs : can(cidrhost(cidr, 0))])
    error_message = "Write address ranges, such as 140.82.112.0/20."
  }
}

variable "git_port" {
  description = "The port of the Git host."
  type        = number
  default     = 22
  nullable    = false

  validation {
    condition     = var.git_port == floor(var.git_port) && var.git_port >= 1 && var.git_port <= 65535
    error_message = "A port is between 1 and 65535."
  }
}

variable "cluster" {
  description = "Name or ARN of an ECS cluster to adopt; without it, there is one of its own."
  type        = string
  default     = null
}

variable "image" {
  description = "The image of the task, by digest: name@sha256:…"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[^@\\s]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest, name@sha256:…, or it could be another one tomorrow."
  }
}

variable "registry_secret" {
  description = "Name or ARN of the secret with user name and password of a registry."
  type        = string
  default     = null

  validation {
    condition     = var.registry_secret == null || can(regex("^[A-Za-z0-9/_+=.@:-]+$", var.registry_secret))
    error_message = "Write the name or the ARN of a secret, without * and ?."
  }
}

variable "cpu" {
  description = "CPU of a task, in units of 1/1024."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "Choose of: 256, 512, 1024, 2048, 4096."
  }
}

variable "memory" {
  description = "Memory of a task, in MiB."
  type        = number
  default     = 512
  nullable    = false
}

variable "architecture" {
  description = "Of the image: X86_64 or ARM64."
  type        = string
  default     = "X86_64"
  nullable    = false

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "Write X86_64 or ARM64."
  }
}

variable "repository_owner" {
  description = "Owner of the GitHub repository with the migrations."
  type        = string
  default     = null
}

variable "repository_path" {
  description = "Name of that repository."
  type        = string
  default     = null
}

variable "repository_url" {
  description = "Any other Git URL, instead of owner and path."
  type        = string
  default     = null
}

variable "deploy_key_secret" {
  description = "Name or ARN of the secret with the private deploy key."
  type        = string
  default     = null

  validation {
    condition     = var.deploy_key_secret == null || can(regex("^[A-Za-z0-9/_+=.@:-]+$", var.deploy_key_secret))
    error_message = "Write the name or the ARN of a secret, without * and ?."
  }
}

variable "secrets" {
  description = "Names or ARNs of the secrets that a task may read besides: those of users."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.secrets : can(regex("^[A-Za-z0-9/_+=.@:-]+$", name))])
    error_message = "Write the name or the ARN of a secret, without * and ?."
  }
}

variable "rotated_secrets" {
  description = "Names or ARNs of the secrets of declared users whose rotation a task may finish; it may read them too."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.rotated_secrets : can(regex("^[A-Za-z0-9/_+=.@:-]+$", name))])
    error_message = "Write the name or the ARN of a secret, without * and ?."
  }
}

variable "kms_key" {
  description = "ARN of the KMS key that these secrets are encrypted with, if it is your own."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^arn:", var.kms_key))
    error_message = "Write the ARN of a key."
  }
}

variable "environment" {
  description = "Further variables of the container. No secrets: everybody reads them."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.environment), ["DB_HOST", "DB_NAME", "DB_PORT", "REGION", "REPOSITORY_DEPLOY_KEY_SECRET", "REPOSITORY_OWNER", "REPOSITORY_PATH", "TAXIWAY_REPOSITORY_URL"])) == 0
    error_message = "A variable of these is set by other inputs: set those."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs has no such time. Choose of: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "log_kms_key" {
  description = "ARN of a KMS key for the logs; its policy has to let CloudWatch Logs use it."
  type        = string
  default     = null
}

variable "database_host" {
  description = "Address of an existing database. Adopted."
  type        = string
  default     = null
}

variable "database_port" {
  description = "Port of the database, its own one or an adopted one."
  type        = number
  default     = 5432
  nullable    = false

  validation {
    condition     = var.database_port == floor(var.database_port) && var.database_port >= 1 && var.database_port <= 65535
    error_message = "A port is between 1 and 65535."
  }
}

variable "database_name" {
  description = "Name of the database."
  type        = string
  nullable    = false
}

variable "database_security_group" {
  description = "Id of its security group, which gets a rule for tasks. Adopted."
  type        = string
  default     = null
}

variable "database_resource_id" {
  description = "Its resource id, cluster-… or db-…, for logins with IAM."
  type        = string
  default     = null
}

variable "database_users" {
  description = "Users that a task may log in as with IAM."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for user in var.database_users : can(regex("^[^*?$]+$", user))])
    error_message = "Name each user exactly, without * and ?."
  }
}

variable "database" {
  description = "An Aurora Serverless v2 cluster of its own, encrypted and backed up; {} takes the defaults. Without it, an existing database is adopted."
  type = object({
    subnets             = optional(list(string), [])
    engine_version      = optional(string, "17.5")
    master_user         = optional(string, "sqladmin")
    min_capacity        = optional(number, 0)
    max_capacity        = optional(number, 4)
    pause_after_seconds = optional(number, 300)
    backup_days         = optional(number, 14)
    deletion_protection = optional(bool, true)
    kms_key             = optional(string)
    master_secret       = optional(string)
  })
  default = null

  validation {
    condition     = var.database != null ? var.database_host == null && var.database_security_group == null : var.database_host != null && var.database_security_group != null
    error_message = "Set database_host and database_security_group of an existing database, or database for a new one, and not both."
  }
}

variable "bastion" {
  description = "A host that Systems Manager reaches and nothing else; {} takes the defaults."
  type = object({
    subnet        = optional(string)
    instance_type = optional(string, "t4g.nano")
  })
  default = null
}

variable "github" {
  description = "A role that workflows of one repository, in one environment of it, take on; {} takes the defaults."
  type = object({
    repository  = optional(string)
    environment = optional(string, "production")
    subject     = optional(string)
    provider    = optional(string)
  })
  default = null
}

variable "endpoints" {
  description = "VPC endpoints, so that tasks need no NAT gateway for AWS."
  type = object({
    subnets        = optional(list(string), [])
    route_tables   = list(string)
    s3_prefix_list = string
  })
  default = null
}

variable "tags" {
  description = "Tags of all that can have some."
  type        = map(string)
  default     = {}
  nullable    = false
}
