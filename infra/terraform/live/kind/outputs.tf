output "where" {
  description = "Where to look."
  value       = "${module.platform.public_url} (release ${module.platform.release} in namespace ${module.platform.namespace})"
}
