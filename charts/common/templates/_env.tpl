{{/*
Environment variables are maps until they are rendered: Helm 4 applies server-side, which refuses a name that comes twice.
A value is a scalar or what a Kubernetes EnvVar takes besides its name (`valueFrom: …`).
*/}}

{{/* A scalar as text: numbers as they were written, never 1.048576e+06. */}}
{{- define "common.scalar" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- printf "%d" (int64 .) -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/* (dict "env" <YAML of a map> "extra" <map>) -> a list by name; extra wins. Names sort so that $(K8S_…) comes before its use. */}}
{{- define "common.env" -}}
{{- $env := .env | fromYaml -}}
{{- if hasKey $env "Error" -}}
{{- fail (printf "The environment is no map: %s" $env.Error) -}}
{{- end -}}
{{- range $name, $value := .extra -}}
{{- $_ := set $env $name $value -}}
{{- end -}}
{{- range $name, $value := $env }}
{{- if not (kindIs "invalid" $value) }}
- name: {{ $name }}
  {{- if kindIs "map" $value }}
  {{- toYaml $value | nindent 2 }}
  {{- else }}
  value: {{ include "common.scalar" $value | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where the telemetry goes, and which pod it comes from. (dict "root" $ "service" "<name in traces>") -> YAML of a map. */}}
{{- define "common.telemetryEnv" -}}
K8S_NAMESPACE_NAME:
  valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}
K8S_NODE_NAME:
  valueFrom: {fieldRef: {apiVersion: v1, fieldPath: spec.nodeName}}
K8S_POD_NAME:
  valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ include "common.otlpEndpoint" .root | quote }}
OTEL_RESOURCE_ATTRIBUTES: k8s.namespace.name=$(K8S_NAMESPACE_NAME),k8s.node.name=$(K8S_NODE_NAME),k8s.pod.name=$(K8S_POD_NAME)
OTEL_SERVICE_NAME: {{ .service }}
{{- end -}}
