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
  description = "Ids of the subnets of the endpoints, one in each zone."
  type        = list(string)
  nullable    = false
}

variable "route_tables" {
  description = "Ids of the route tables of the tasks' subnets, for S3."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.route_tables) > 0
    error_message = "Name one at least."
  }
}

variable "s3_prefix_list" {
  description = "Id of the prefix list of S3 in the region, pl-…"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^pl-[0-9a-f]+$", var.s3_prefix_list))
    error_message = "Write what 'aws ec2 describe-managed-prefix-lists' calls com.amazonaws.REGION.s3."
  }
}

variable "task_security_group" {
  description = "Id of the security group of tasks."
  type        = string
  nullable    = false
}

variable "has_bastion" {
  description = "There is a bastion: it needs endpoints too."
  type        = bool
  default     = false
  nullable    = false
}

variable "bastion_security_group" {
  description = "Id of the security group of the bastion."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of all that can have some."
  type        = map(string)
  default     = {}
  nullable    = false
}
