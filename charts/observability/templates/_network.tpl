{{/* Who may speak with whom, beside what networkPolicy.extraIngress and .extraEgress add. */}}

{{- define "observability.prometheusEgress" -}}
{{ include "common.egressDns" . }}
# Whatever of this release has metrics.
- to:
    - podSelector:
        matchLabels:
          app.kubernetes.io/instance: {{ .Release.Name }}
# The API server, to find the pods.
- to:
    - ipBlock:
        cidr: {{ .Values.prometheus.apiServer.cidr }}
  ports:
    {{- range .Values.prometheus.apiServer.ports }}
    - protocol: TCP
      port: {{ . }}
    {{- end }}
{{- end }}

{{- define "observability.collectorIngress" -}}
# Whatever of this release makes spans.
- from:
    - podSelector:
        matchLabels:
          app.kubernetes.io/instance: {{ .Release.Name }}
  ports:
    - protocol: TCP
      port: 4318
{{ include "common.ingressMetrics" (dict "root" . "port" 8888) }}
{{- end }}

{{- define "observability.collectorEgress" -}}
{{ include "common.egressDns" . }}
{{- if not .Values.collector.tracesEndpoint }}
{{ include "common.egressTo" (dict "root" . "components" (list "jaeger") "port" 4318) }}
{{- end }}
{{- end }}

{{- define "observability.jaegerIngress" -}}
{{ include "common.ingressFrom" (dict "root" . "components" (list "collector") "port" 4318) }}
{{ include "common.ingressMetrics" (dict "root" . "port" 8888) }}
{{- end }}
