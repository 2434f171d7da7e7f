output "release" {
  description = "Name of the release."
  value       = helm_release.platform.name
}

output "namespace" {
  description = "Namespace that holds it."
  value       = kubernetes_namespace_v1.platform.metadata[0].name
}

output "version" {
  description = "Version of the chart that is installed."
  value       = helm_release.platform.metadata.version
}

output "public_url" {
  description = "Where browsers find it."
  value       = var.public_url
}
