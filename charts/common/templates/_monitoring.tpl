{{/* For the Prometheus operator. Plain booleans, off: `Capabilities` knows nothing under GitOps rendering. */}}

{{/* (dict "root" $ "name" … "component" … "values" <section with serviceMonitor> "port" "http") */}}
{{- define "common.serviceMonitor" -}}
{{- with .values.serviceMonitor }}
{{- if .enabled }}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "common.metadata" $ | nindent 2 }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  jobLabel: app.kubernetes.io/component
  selector:
    matchLabels:
      {{- include "common.selectorLabels" $ | nindent 6 }}
  endpoints:
    - port: {{ $.port | default "http" }}
      path: /metrics
      interval: {{ .interval }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The same for pods without a Service: (… "values" <section with podMonitor>). */}}
{{- define "common.podMonitor" -}}
{{- with .values.podMonitor }}
{{- if .enabled }}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  {{- include "common.metadata" $ | nindent 2 }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  jobLabel: app.kubernetes.io/component
  selector:
    matchLabels:
      {{- include "common.selectorLabels" $ | nindent 6 }}
  podMetricsEndpoints:
    - port: {{ $.port | default "http" }}
      path: /metrics
      interval: {{ .interval }}
{{- end }}
{{- end }}
{{- end -}}
