output "endpoint_security_group" {
  description = "The security group of the endpoints."
  value       = aws_security_group.endpoint_security_group.id
}
