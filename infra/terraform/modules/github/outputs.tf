output "github_role_arn" {
  description = "The role of workflows."
  value       = aws_iam_role.github_role.arn
}
