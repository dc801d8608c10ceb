# Tasks for a database that is already there.

terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

module "taxiway" {
  source = "../.."

  vpc     = "vpc-0123456789abcdef0"
  subnets = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  image   = "ghcr.io/acme/taxiway@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

  registry_secret   = "github@packages@read"
  repository_owner  = "acme"
  repository_path   = "shop"
  deploy_key_secret = "github@deploy-key@shop"
  secrets           = ["postgresql@auroradb@master@sqladmin"]

  database_host           = "shop.cluster-abc.eu-west-1.rds.amazonaws.com"
  database_name           = "shop"
  database_security_group = "sg-0123456789abcdef0"
}

output "taxiway_toml" {
  description = "The tables [task] and [tunnel] of taxiway.toml."
  value       = module.taxiway.taxiway_toml
}
