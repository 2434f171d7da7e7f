variable "name" {
  description = "Name of the Helm release; prefixes the name of everything in it."
  type        = string
  default     = "polysession"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.name))
    error_message = "name must be 1 to 20 lower-case letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "namespace" {
  description = "Namespace of the release, made here with its Pod Security labels."
  type        = string
  default     = "polysession"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace must be a DNS label: 1 to 63 lower-case letters, digits and dashes."
  }
}

variable "chart" {
  description = "The umbrella chart: a folder, or an oci:// reference with chart_version."
  type        = string
}

variable "chart_version" {
  description = "Version of a chart that is not a folder; null for a folder."
  type        = string
  default     = null

  validation {
    condition     = var.chart_version == null || can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+", coalesce(var.chart_version, "0.0.0")))
    error_message = "chart_version must be a whole version, such as 0.1.0: a range would change without a plan."
  }
}

variable "public_url" {
  description = "Origin that browsers use: https, or http on loopback for development. Decides cookies and the content security policy."
  type        = string

  validation {
    condition     = can(regex("^https://[^/]+$", var.public_url)) || can(regex("^http://(localhost|127\\.0\\.0\\.1)(:[0-9]+)?$", var.public_url))
    error_message = "public_url must be https://host without a path, or http://localhost or http://127.0.0.1 for development."
  }
}

variable "values" {
  description = "Values files of the chart, as text, later ones winning. No secrets: they would stand in the state."
  type        = list(string)
  default     = []
}

variable "timeout_seconds" {
  description = "How long to wait until everything is ready."
  type        = number
  default     = 600

  validation {
    condition     = var.timeout_seconds >= 60 && var.timeout_seconds <= 3600
    error_message = "timeout_seconds must be from 60 to 3600."
  }
}
