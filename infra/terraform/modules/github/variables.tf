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

variable "repository" {
  description = "The repository of the workflows, owner/name."
  type        = string
  default     = null

  validation {
    condition     = var.repository == null || can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.repository))
    error_message = "Write owner/name."
  }
}

variable "environment" {
  description = "The environment that a workflow has to run in."
  type        = string
  default     = "production"
  nullable    = false

  validation {
    condition     = can(regex("^[^*?:/\\s]+$", var.environment))
    error_message = "Name exactly one environment."
  }
}

variable "subject" {
  description = "The whole sub claim, instead of repository and environment."
  type        = string
  default     = null

  validation {
    condition     = var.subject == null || can(regex("^repo:[^*?]+$", var.subject))
    error_message = "Write repo:OWNER/NAME:environment:NAME, without * and ?."
  }
}

variable "provider_arn" {
  description = "ARN of the OIDC provider for GitHub, to adopt it."
  type        = string
  default     = null
}

variable "cluster_arn" {
  description = "ARN of the cluster that tasks run in."
  type        = string
  nullable    = false
}

variable "task_definition_family" {
  description = "Family of the task definition."
  type        = string
  nullable    = false
}

variable "execution_role_arn" {
  description = "The role of ECS, which a task is given."
  type        = string
  nullable    = false
}

variable "task_role_arn" {
  description = "The role of tasks, which a task is given."
  type        = string
  nullable    = false
}

variable "log_group_arn" {
  description = "Where tasks write."
  type        = string
  nullable    = false
}

variable "tags" {
  description = "Tags of all that can have some."
  type        = map(string)
  default     = {}
  nullable    = false
}
