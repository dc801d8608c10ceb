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

variable "subnet" {
  description = "Id of its subnet, with a way to Systems Manager."
  type        = string
  nullable    = false
}

variable "assign_public_ip" {
  description = "Give it a public address, for a public subnet without a NAT gateway. No port of it is open."
  type        = bool
  default     = false
  nullable    = false
}

variable "instance_type" {
  description = "A type with an ARM processor."
  type        = string
  default     = "t4g.nano"
  nullable    = false
}

variable "database_security_group" {
  description = "Id of the security group of the database, which gets a rule for the bastion."
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

variable "has_endpoints" {
  description = "AWS is reached through endpoints in the VPC: nothing else goes out to it."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags of all that can have some."
  type        = map(string)
  default     = {}
  nullable    = false
}
