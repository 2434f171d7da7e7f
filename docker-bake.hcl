// The four images: `docker buildx bake`, or `make images`.
variable "VERSION" { default = "0.1.0" }
variable "REVISION" { default = "unknown" }
variable "REGISTRY" { default = "" }

group "default" { targets = ["users", "orders", "shell", "tools"] }

target "image" {
  context = "."
  args = { VERSION = VERSION, REVISION = REVISION }
}

target "users" {
  inherits   = ["image"]
  dockerfile = "services/django-users/Dockerfile"
  tags       = ["${REGISTRY}polysession/users:${VERSION}"]
}

target "orders" {
  inherits   = ["image"]
  dockerfile = "services/flask-orders/Dockerfile"
  tags       = ["${REGISTRY}polysession/orders:${VERSION}"]
}

target "shell" {
  inherits   = ["image"]
  dockerfile = "web/react-shell/Dockerfile"
  tags       = ["${REGISTRY}polysession/shell:${VERSION}"]
}

target "tools" {
  inherits   = ["image"]
  dockerfile = "packages/operations/Dockerfile"
  tags       = ["${REGISTRY}polysession/tools:${VERSION}"]
}

// For a release, pushed: a local image store holds one platform. arm64 is unproved.
group "release" { targets = ["users-release", "orders-release", "shell-release", "tools-release"] }

target "release" { platforms = ["linux/amd64", "linux/arm64"] }
target "users-release" { inherits = ["users", "release"] }
target "orders-release" { inherits = ["orders", "release"] }
target "shell-release" { inherits = ["shell", "release"] }
target "tools-release" { inherits = ["tools", "release"] }
