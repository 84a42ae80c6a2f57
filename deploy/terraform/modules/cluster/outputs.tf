output "name" {
  description = "Name of the cluster."
  value       = aws_eks_cluster.this.name
}

output "arn" {
  description = "ARN of the cluster."
  value       = local.arn
}

output "endpoint" {
  description = "URL of the Kubernetes API."
  value       = aws_eks_cluster.this.endpoint
}

output "certificate_authority" {
  description = "The certificate that signs the API's, in base64."
  value       = aws_eks_cluster.this.certificate_authority[0].data
}

output "node_security_group_id" {
  description = "The security group that nodes and pods have: who lets pods in names it."
  value       = aws_security_group.nodes.id
}

output "cluster_security_group_id" {
  description = "The security group of the control plane's interfaces: who reaches the API inside the VPC is let in there."
  value       = aws_security_group.control_plane.id
}

output "node_role_arn" {
  description = "The role of the nodes."
  value       = aws_iam_role.nodes.arn
}

output "autoscaling_group_names" {
  description = "The groups that EKS makes for the nodes: zone -> name."
  value       = { for zone, group in aws_eks_node_group.this : zone => one(flatten(group.resources[*].autoscaling_groups[*].name)) }
}
