variable "kubeconfig" {
  description = "The file of `make kind-up`, never the user's own."
  type        = string
  default     = "../../../../.kind/kubeconfig"
}

variable "context" {
  description = "Context in it. Anything but a kind cluster is refused."
  type        = string
  default     = "kind-polysession"

  validation {
    condition     = startswith(var.context, "kind-")
    error_message = "context must name a kind cluster (kind-…): this configuration is for trials."
  }
}

variable "namespace" {
  description = "Namespace to make. `make kind-up` has `polysession` already."
  type        = string
  default     = "polysession-terraform"
}

variable "public_url" {
  description = "The port of kind's extraPortMappings."
  type        = string
  default     = "http://127.0.0.1:8480"
}
