output "bastion_instance_id" {
  description = "The bastion."
  value       = aws_instance.bastion.id
}

output "bastion_role_arn" {
  description = "The role of the bastion."
  value       = aws_iam_role.bastion_role.arn
}

output "bastion_security_group" {
  description = "The security group that it is in."
  value       = aws_security_group.bastion_security_group.id
}
