terraform {
  required_version = ">= 1.9.0"
  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = "~> 3.0"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 3.0"
    }
  }
  backend "local" {}
}

provider "kubernetes" {
  config_path    = var.kubeconfig
  config_context = var.context
}

provider "helm" {
  kubernetes = {
    config_path    = var.kubeconfig
    config_context = var.context
  }
}

module "platform" {
  source = "../../modules/platform"

  namespace  = var.namespace
  chart      = "${path.module}/../../../../charts/polysession"
  public_url = var.public_url
  values     = [file("${path.module}/../../../../charts/polysession/ci/kind-values.yaml")]
}
