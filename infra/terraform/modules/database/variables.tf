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
  description = "Ids of private subnets in two zones at least."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnets) >= 2
    error_message = "Name subnets in two zones at least."
  }
}

variable "database_name" {
  description = "Name of the database."
  type        = string
  nullable    = false
}

variable "database_port" {
  description = "Port of the database."
  type        = number
  default     = 5432
  nullable    = false

  validation {
    condition     = var.database_port == floor(var.database_port) && var.database_port >= 1 && var.database_port <= 65535
    error_message = "A port is between 1 and 65535."
  }
}

variable "engine_version" {
  description = "Version of Aurora PostgreSQL."
  type        = string
  default     = "17.5"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+", var.engine_version))
    error_message = "Write a version with its minor part, such as 17.5."
  }
}

variable "master_user" {
  description = "Name of the first user; RDS makes its secret."
  type        = string
  default     = "sqladmin"
  nullable    = false
}

variable "min_capacity" {
  description = "Least capacity in ACU. 0 lets it pause."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.min_capacity >= 0 && var.min_capacity <= var.max_capacity
    error_message = "0 <= min_capacity <= max_capacity."
  }

  validation {
    condition     = var.min_capacity > 0 || tonumber(split(".", var.engine_version)[0]) > 17 || tonumber(regex("^[0-9]+", split(".", var.engine_version)[1])) >= lookup({ 13 = 15, 14 = 12, 15 = 7, 16 = 3, 17 = 4 }, split(".", var.engine_version)[0], 1000)
    error_message = "This version of Aurora PostgreSQL cannot pause: write 0.5, or choose a newer engine_version."
  }
}

variable "max_capacity" {
  description = "Most capacity in ACU."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = var.max_capacity >= 1
    error_message = "1 at least."
  }
}

variable "pause_after_seconds" {
  description = "Idle time before a pause."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.pause_after_seconds >= 300 && var.pause_after_seconds <= 86400
    error_message = "300 to 86400."
  }
}

variable "backup_days" {
  description = "How long automatic backups are kept."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "1 to 35."
  }
}

variable "deletion_protection" {
  description = "Nobody can delete it."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key" {
  description = "ARN of a KMS key for its storage and its secret; else those of AWS."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^arn:", var.kms_key))
    error_message = "Write the ARN of a key."
  }
}

variable "tags" {
  description = "Tags of all that can have some."
  type        = map(string)
  default     = {}
  nullable    = false
}
