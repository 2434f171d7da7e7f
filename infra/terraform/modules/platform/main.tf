resource "kubernetes_namespace_v1" "platform" {
  metadata {
    name = var.namespace
    labels = {
      "pod-security.kubernetes.io/enforce" = "restricted"
      "pod-security.kubernetes.io/warn"    = "restricted"
      "pod-security.kubernetes.io/audit"   = "restricted"
    }
  }
}

resource "helm_release" "platform" {
  name      = var.name
  namespace = kubernetes_namespace_v1.platform.metadata[0].name
  chart     = var.chart
  version   = var.chart_version
  values    = var.values
  set = [
    { name = "global.publicUrl", value = var.public_url },
  ]

  wait    = true
  timeout = var.timeout_seconds
  # A failed upgrade goes back by itself: `helm rollback` is the chart's tested way.
  atomic          = true
  cleanup_on_fail = true
  max_history     = 10
}
