# Everything that there is: a database of its own, a bastion, a role for GitHub workflows, and endpoints instead of a NAT gateway.

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
  image   = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/taxiway@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

  repository_owner  = "acme"
  repository_path   = "shop"
  deploy_key_secret = "github@deploy-key@shop"
  rotated_secrets   = ["postgresql@auroradb@app"]

  database_name = "shop"
  database      = {}
  bastion       = {}
  github        = {}

  git_cidrs = ["140.82.112.0/20"]
  endpoints = {
    route_tables   = ["rtb-0123456789abcdef0"]
    s3_prefix_list = "pl-0123456789abcdef0"
  }

  tags = { team = "data" }
}

output "taxiway_toml" {
  description = "The tables [task] and [tunnel] of taxiway.toml."
  value       = module.taxiway.taxiway_toml
}
