{{/* The edge's settings and neighbours. docs/configuration.md explains each setting. */}}

{{- define "edge.env" -}}
{{- $endpoint := include "common.otlpEndpoint" .root -}}
EDGE_SITE: http://:8080
EDGE_BIND: 0.0.0.0
EDGE_METRICS_PORT: 8081
EDGE_PUBLIC_URL: {{ include "common.publicUrl" .root }}
EDGE_SHUTDOWN_DELAY: {{ .values.timing.shutdownDelay }}
EDGE_GRACE: {{ .values.timing.grace }}
EDGE_DIAL_TIMEOUT: {{ .values.timing.dialTimeout }}
EDGE_TRY_DURATION: {{ .values.timing.tryDuration }}
{{- with .values.trustedProxies }}
EDGE_TRUSTED_PROXIES: {{ join " " . | quote }}
{{- end }}
USERS_ADDR: {{ include "common.fullname" (dict "root" .root "component" "users") }}:8000
ORDERS_ADDR: {{ include "common.fullname" (dict "root" .root "component" "orders") }}:8000
{{- with $endpoint }}
# A browser's spans.
TRACES_ADDR: {{ . | trimPrefix "http://" }}
{{- else }}
OTEL_TRACES_EXPORTER: none
{{- end }}
# Less than the limit, so that Go collects before the kernel kills.
GOMEMLIMIT: 110MiB
{{ include "common.telemetryEnv" (dict "root" .root "service" "edge") }}
OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf
OTEL_METRICS_EXPORTER: none
OTEL_PROPAGATORS: tracecontext
# Else a dead Collector delays the stop.
OTEL_EXPORTER_OTLP_TIMEOUT: 1000
OTEL_BSP_EXPORT_TIMEOUT: 1000
{{- end -}}

{{/* Pages from everywhere, metrics for Prometheus: a NodePort hides where a connection came from, and a load balancer is outside of the cluster. */}}
{{- define "edge.ingress" -}}
- ports:
    - protocol: TCP
      port: 8080
{{ include "common.ingressMetrics" (dict "root" .root "port" 8081) }}
{{- end -}}

{{- define "edge.egress" -}}
{{ include "common.egressDns" .root }}
{{ include "common.egressTo" (dict "root" .root "components" (list "users" "orders") "port" 8000) }}
{{ include "common.egressTelemetry" .root }}
{{- if (.root.Values.global).otlpEndpoint }}
{{- with ((.root.Values.global).networkPolicy).egress }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* For notes, the umbrella's, too: (dict "values" <the chart's> "name" <of the value to set>). "" when nothing is in front, or what is there is believed. */}}
{{- define "edge.unseenClients" -}}
{{- if and (or .values.ingress.enabled .values.httpRoute.enabled) (not .values.trustedProxies) }}
All clients seem to have the address of the proxy in front of the edge: set {{ .name }} to its networks, or the limit of
failed sign-ins counts everybody as one address.
{{- end }}
{{- end -}}
